"""Fault rules: which requests they meet, and what they make of an exchange. The schema is described in proxy.py."""

import asyncio
import random
import re
import time

from messages import Answer, Cut

ANSWERS = ("status", "html", "empty")
CUTS = ("reset", "stall", "truncate", "error_in_200", "lose_answer")
ADDITIONS = ("delay", "bandwidth", "etag", "corrupt", "header")
MATCHES = {"operation", "method", "part", "bucket", "key", "header", "nth", "first", "after", "every", "probability",
           "seed", "times"}
FIELDS = {
    "status": {"status", "code", "message", "headers", "body", "content_type", "early", "forward"},
    "html": {"status", "forward"},
    "empty": {"status", "forward"},
    "reset": {"when", "request_bytes", "response_bytes", "how"},
    "stall": {"when", "request_bytes", "response_bytes", "seconds"},
    "truncate": {"bytes", "length"},
    "error_in_200": {"code", "message", "forward", "spaces"},
    "lose_answer": {"how"},
    "delay": {"seconds"},
    "bandwidth": {"bytes_per_second", "direction"},
    "etag": {"value"},
    "corrupt": {"where", "offset", "xor"},
    "header": {"set", "remove"},
}


def as_list(value):
    return value if isinstance(value, list) else [value]


class Rule:
    """One rule with what it has seen: counting starts when the rule is set."""

    def __init__(self, number, description):
        self.number = number
        self.description = description
        self.match = description.get("match", {})
        self.action = description.get("action", {})
        self.kind = self.action.get("do")
        if self.kind not in FIELDS:
            raise ValueError(f"rule {number}: there is no action '{self.kind}'; known: {', '.join(sorted(FIELDS))}")
        unknown = (set(description) - {"match", "action", "name"}) | (set(self.match) - MATCHES) | (
            set(self.action) - FIELDS[self.kind] - {"do"})
        if unknown:
            raise ValueError(f"rule {number} ({self.kind}): unknown fields: {', '.join(sorted(unknown))}")
        self.random = random.Random(self.match.get("seed", 1))
        self.seen = 0
        self.fired = 0
        for name in ("bucket", "key"):
            re.compile(self.match.get(name, ""))

    def meets(self, request):
        match = self.match
        if "operation" in match and request.operation not in as_list(match["operation"]):
            return False
        if "method" in match and request.method not in as_list(match["method"]):
            return False
        if "part" in match and request.part not in as_list(match["part"]):
            return False
        if "bucket" in match and not re.search(match["bucket"], request.bucket):
            return False
        if "key" in match and not re.search(match["key"], request.key):
            return False
        for name, pattern in match.get("header", {}).items():
            value = request.header(name)
            if value is None or not re.search(pattern, value):
                return False
        return True

    def fires(self, request):
        match = self.match
        if not self.meets(request):
            return False
        self.seen += 1
        fires = all((
            "nth" not in match or self.seen in as_list(match["nth"]),
            "first" not in match or self.seen <= match["first"],
            "after" not in match or self.seen > match["after"],
            "every" not in match or self.seen % match["every"] == 0,
            "times" not in match or self.fired < match["times"],
            "probability" not in match or self.random.random() < match["probability"],
        ))
        self.fired += fires
        return fires

    def state(self):
        return {**self.description, "seen": self.seen, "fired": self.fired}


class Stream:
    """What happens to one direction of a body on its way, counted in bytes of the body."""

    def __init__(self):
        self.passed = 0
        self.stop_at = None  # byte at which `stop` comes into force
        self.stop = None  # Cut, or seconds to stall (infinite: for ever)
        self.corrupt_at = None
        self.corrupt_by = 1
        self.rate = None  # bytes a second
        self.begun = None
        self.sleep = asyncio.sleep  # how to wait where a stall ends with the client

    @property
    def is_plain(self):
        return self.stop_at is None and self.corrupt_at is None and self.rate is None

    async def shape(self, piece):
        """Yields what of the piece goes on; raises Cut where the connection is to end."""
        offset = self.corrupt_at
        if offset is not None and self.passed <= offset < self.passed + len(piece):
            changed = bytearray(piece)
            changed[offset - self.passed] ^= self.corrupt_by
            piece = bytes(changed)
            self.corrupt_at = None
        if self.rate:
            self.begun = self.begun or time.monotonic()
            small = max(1024, min(len(piece), int(self.rate / 20)))
        else:
            small = len(piece)
        for start in range(0, len(piece), small):
            part = piece[start : start + small]
            if self.stop_at is not None and self.passed + len(part) >= self.stop_at:
                kept = self.stop_at - self.passed
                if kept:
                    yield part[:kept]
                self.passed += kept
                await self.halt()
                part = part[kept:]
            self.passed += len(part)
            if part:
                yield part
            if self.rate:
                await asyncio.sleep(max(0.0, self.begun + self.passed / self.rate - time.monotonic()))

    async def halt(self):
        """Also called before the first byte and at the end, for limits at or past the body's length."""
        stop, self.stop_at = self.stop, None
        if isinstance(stop, Cut):
            raise stop
        await self.sleep(min(stop, 3600.0))


class Plan:
    """What the rules that fired make of one exchange."""

    def __init__(self):
        self.names = []
        self.answer = None  # given instead of the upstream's
        self.early = False  # before the body is read
        self.forward = False  # the upstream does it all the same
        self.cut_at_start = None
        self.cut_before_answer = None
        self.stall_at_start = 0.0
        self.stall_before_answer = 0.0
        self.lose = None
        self.truncated_length = None
        self.delay = 0.0
        self.etag = None
        self.set_fields = {}
        self.removed_fields = []
        self.request = Stream()
        self.response = Stream()

    def add(self, rule):
        """Adds a rule's action; True where no further rule is to be asked."""
        self.names.append(rule.description.get("name", rule.kind))
        getattr(self, "_" + rule.kind)(rule.action)
        return rule.kind not in ADDITIONS

    def _status(self, action):
        status = action.get("status", 503)
        fields = [(name, str(value)) for name, value in action.get("headers", {}).items()]
        if "body" in action:
            self.answer = Answer(status, action["body"].encode(), fields=fields)
        else:
            code = action.get("code", "SlowDown" if status == 503 else "InternalError")
            self.answer = Answer.error(status, code, action.get("message", "injected"), fields)
        self.answer.content_type = action.get("content_type", "application/xml")
        self.early = action.get("early", False)
        self.forward = action.get("forward", False)

    def _html(self, action):
        page = (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>"
                b"<body><p>Welcome &amp; sign in.<br></body></html>\n")
        self.answer = Answer(action.get("status", 200), page, "text/html; charset=utf-8")
        self.forward = action.get("forward", False)

    def _empty(self, action):
        self.answer = Answer(action.get("status", 200))
        self.forward = action.get("forward", False)

    def _error_in_200(self, action):
        answer = Answer.error(200, action.get("code", "InternalError"), action.get("message", "injected"))
        declaration, _, rest = answer.body.partition(b"\n")
        answer.body = declaration + b"\n" + b" " * action.get("spaces", 0) + b"\n" + rest
        self.answer = answer
        self.forward = action.get("forward", False)

    def _place(self, action, stop, at_start, before_answer):
        if "request_bytes" in action:
            self.request.stop_at, self.request.stop = action["request_bytes"], stop
        elif "response_bytes" in action:
            self.response.stop_at, self.response.stop = action["response_bytes"], stop
        else:
            when = action.get("when", "before_answer")
            if when not in ("at_start", "before_answer"):
                raise ValueError(f"when: at_start or before_answer, not '{when}'")
            setattr(self, at_start if when == "at_start" else before_answer, stop)

    def _reset(self, action):
        self._place(action, Cut(action.get("how", "rst")), "cut_at_start", "cut_before_answer")

    def _stall(self, action):
        seconds = action.get("seconds")
        self._place(action, 3600.0 if seconds is None else float(seconds), "stall_at_start", "stall_before_answer")

    def _truncate(self, action):
        self.response.stop_at = action["bytes"]
        self.response.stop = Cut("fin")
        if action.get("length", "original") == "truncated":
            self.truncated_length = action["bytes"]

    def _lose_answer(self, action):
        self.lose = Cut(action.get("how", "rst"))

    def _delay(self, action):
        self.delay += action.get("seconds", 0.1)

    def _bandwidth(self, action):
        direction = action.get("direction", "both")
        for name in ("request", "response"):
            if direction in (name, "both"):
                getattr(self, name).rate = action["bytes_per_second"]

    def _etag(self, action):
        self.etag = action.get("value", '"00000000000000000000000000000000"')

    def _corrupt(self, action):
        stream = getattr(self, action.get("where", "request"))
        stream.corrupt_at = action.get("offset", 0)
        stream.corrupt_by = action.get("xor", 1)

    def _header(self, action):
        self.set_fields.update(action.get("set", {}))
        self.removed_fields += action.get("remove", [])


class Faults:
    """The rules in force, in their order."""

    def __init__(self):
        self.rules = []
        self._made = 0

    def replace(self, descriptions):
        self.rules = []
        self.extend(descriptions)

    def extend(self, descriptions):
        made = []
        for description in descriptions:
            self._made += 1
            rule = Rule(self._made, description)
            Plan().add(rule)  # A wrong value is told to who sets the rule.
            made.append(rule)
        self.rules += made

    def plan(self, request):
        plan = Plan()
        for rule in self.rules:
            if rule.fires(request) and plan.add(rule):
                break
        return plan
