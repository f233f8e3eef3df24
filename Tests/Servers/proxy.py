#!/usr/bin/env python3
"""A proxy between an S3 client and an S3 server that injects faults and plays providers. Standard library only.

    proxy.py --upstream http://127.0.0.1:PORT [--listen 127.0.0.1:0] [--control 127.0.0.1:0] [--tls CERTIFICATE KEY]
             [--tunnel CERTIFICATE KEY] [--provider NAME] [--rules JSON|@FILE] [--until-eof]

Prints one line when it listens: {"endpoint": "http://127.0.0.1:P", "port": P,
"control": "http://127.0.0.1:C/_control"}.
With --until-eof it ends when its standard input ends, so that it does not outlive who started it. Bodies are streamed
in both directions; the client's Host goes through unchanged, because the signature covers it. Virtual hosts
(BUCKET.NAME) reach Ceph as such: servers.sh makes it know `localhost` and the providers' host names. A client gets
there by resolving those to 127.0.0.1, or by taking this for its forward proxy (http_proxy=http://127.0.0.1:P): then
http://BUCKET.NAME needs nothing more, and https://BUCKET.NAME needs --tunnel with the test authority's certificate,
which has the providers' names: CONNECT ends here, and the faults work as ever. providers.py describes the providers.
A shifted clock, CreateBucket with a location, and classes that Ceph lacks need requests to be signed anew: for that the
keys ELDER_BACKUP_TEST_S3_[PLAIN_|SMALL_]ACCESS_KEY and …SECRET_KEY must be in the environment.

Control, plain HTTP on the second port. GET /_control answers the state; GET /_control/requests the last 20,000
requests, one by one; POST /_control takes an object of the fields below, all of them optional, and answers the state,
or 400 with {"error": "…"} and nothing changed:

    "reset": true             zero all counters, drop all rules, provider and clock; done first
    "counters": "reset"       zero the counters only
    "rules": [RULE, …]        replace the rules;  "add": [RULE, …]  append some
    "provider": NAME|null     aws minio wasabi b2 spaces linode r2 ceph; null: none
    "options": {…}            of the provider, beside it: rate_limit, region, addressing, …; see providers.py
    "clock": {"seconds": 3600, "tolerance": 900}  the server's clock is ahead: Date fields and refusals follow it;
                              null: right again
    "upstream": "http://…"    another upstream from the next request on

    RULE = {"name": TEXT, "match": {…}, "action": {"do": KIND, …}}

`match`: all given fields must hold; lists mean one of them.
    operation  PutObject, UploadPart, UploadPartCopy, CopyObject, CreateMultipartUpload, CompleteMultipartUpload,
               AbortMultipartUpload, ListParts, ListMultipartUploads, GetObject, HeadObject, DeleteObject,
               DeleteObjects, ListObjectsV2, ListObjectVersions, ListBuckets, HeadBucket, CreateBucket,
               GetBucketVersioning, … (operations.py)
    method, part (number), bucket and key (regular expressions, found anywhere), header ({NAME: regular expression})
    Of the requests that meet these, counted from when the rule was set:
    nth (3 or [1, 3]), first (the first N), after (all but the first N), every (each Nth), probability (0…1, with seed),
    times (fires N times at most)

`action`: the first rule that fires with one of these ends the search for further rules:
    {"do": "status", "status": 503, "code": "SlowDown", "message": "…", "headers": {"Retry-After": "1"}, "body": TEXT,
     "content_type": TYPE, "early": false, "forward": false}   early: before the body is read, then closes;
                                                               forward: the upstream does it, its answer is replaced
    {"do": "html", "status": 200, "forward": false}            a web page
    {"do": "empty", "status": 200, "forward": false}           no body
    {"do": "error_in_200", "code": "InternalError", "message": "…", "forward": false, "spaces": 0}  200 with <Error>
    {"do": "reset", "when": "at_start"|"before_answer", "how": "rst"|"fin"}   before the upstream saw anything
    {"do": "reset", "request_bytes": N} or {"do": "reset", "response_bytes": N}, "how" as above
    {"do": "stall", "when": …, "seconds": S} or with request_bytes or response_bytes; no seconds: for ever (an hour)
    {"do": "truncate", "bytes": N, "length": "original"|"truncated"}   the body ends after N, with the Content-Length
                                                               that it had, or one that hides it
    {"do": "lose_answer", "how": "rst"|"fin"}                  the upstream did it, the client never hears
these change the exchange and the search goes on:
    {"do": "delay", "seconds": S}
    {"do": "bandwidth", "bytes_per_second": N, "direction": "request"|"response"|"both"}
    {"do": "etag", "value": "\\"0…0\\""}                         in ETag fields, and in the XML of Complete, Copy, ListParts
    {"do": "corrupt", "where": "request"|"response", "offset": N, "xor": 1}   one byte of the body
    {"do": "header", "set": {NAME: VALUE}, "remove": [NAME]}    of the answer

State: {"endpoint", "upstream", "provider", "clock", "rules": [RULE + "seen" + "fired"], "requests", "connections",
"refusals": {REFUSAL: COUNT}, "operations": {NAME: {"requests", "refused", "faulted", "cut", "bytes_received",
"bytes_sent", "in_flight", "peak_in_flight", "statuses": {"200": N}}}}; `cut` counts what got no status.
A request of /_control/requests: {"number", "operation", "method", "bucket", "key", "part", "upload", "range", "faults",
"status", "refused", "outcome", "received", "sent", "seconds"}; null seconds: still under way.
"""

import argparse
import asyncio
import json
import os
import re
import ssl
import sys
import urllib.parse

import exchange
from counters import Counters
from faults import Faults
from messages import BUFFER, Answer, Framing, read_head, whole
from simulator import DOMAINS, Simulator

KEYS = "ELDER_BACKUP_TEST_S3_"
KNOWN = {"reset", "counters", "rules", "add", "provider", "options", "clock", "upstream"}


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def upstream_address(text):
    parts = urllib.parse.urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"an upstream is http://HOST:PORT, not '{text}'")
    return parts.hostname, parts.port or 80


class State:
    """Everything that the control changes; shared by all connections, which one thread serves."""

    def __init__(self, upstream):
        self.endpoint = None
        self.upstream = upstream_address(upstream)
        self.tunnel_context = None
        self.counters = Counters()
        self.keys = {}
        for kind in ("", "PLAIN_", "SMALL_"):
            access, secret = (os.environ.get(f"{KEYS}{kind}{name}_KEY") for name in ("ACCESS", "SECRET"))
            if access and secret:
                self.keys[access] = secret
        self.clear()

    def clear(self):
        self.faults = Faults()
        self.simulator = None
        self.clock_offset = 0.0
        self.clock_tolerance = 900.0

    @property
    def domains(self):
        return self.simulator.domains if self.simulator else DOMAINS

    def change(self, wish):
        unknown = set(wish) - KNOWN
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        # All that may fail comes first, so that a refused wish changes nothing.
        rules, added = Faults(), Faults()
        rules.extend(wish.get("rules", []))
        added.extend(wish.get("add", []))
        simulator = None
        if "options" in wish and not wish.get("provider"):
            raise ValueError("options are given beside a provider")
        if wish.get("provider"):
            simulator = Simulator(wish["provider"], wish.get("options", {}), self.keys)
        clock = wish.get("clock") or {}
        offset, tolerance = float(clock.get("seconds", 0)), float(clock.get("tolerance", 900))
        upstream = upstream_address(wish["upstream"]) if "upstream" in wish else self.upstream
        if wish.get("reset"):
            self.clear()
        if wish.get("reset") or wish.get("counters") == "reset":
            self.counters.reset()
        if "rules" in wish:
            self.faults = rules
        self.faults.rules += added.rules
        if "provider" in wish:
            self.simulator = simulator
        if "clock" in wish:
            self.clock_offset, self.clock_tolerance = offset, tolerance
        self.upstream = upstream

    def describe(self):
        return {
            "endpoint": self.endpoint,
            "upstream": "http://%s:%d" % self.upstream,
            "provider": self.simulator and self.simulator.name,
            "clock": {"seconds": self.clock_offset, "tolerance": self.clock_tolerance} if self.clock_offset else None,
            "rules": [rule.state() for rule in self.faults.rules],
            "refusals": self.simulator.refusals if self.simulator else {},
            **self.counters.state(),
        }


async def control(state, reader, writer):
    """One connection of the control: read, carry out, answer; then the next."""
    try:
        while head := await read_head(reader):
            body = await whole(reader, Framing.of_request(head), 1 << 22)
            method, target = head.start.split(" ")[:2]
            status, reply = 200, None
            if target not in ("/_control", "/_control/requests"):
                status, reply = 404, {"error": "only /_control and /_control/requests are here"}
            elif method == "POST":
                try:
                    state.change(json.loads(body or b"{}"))
                except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
                    status, reply = 400, {"error": f"{type(error).__name__}: {error}"}
            elif target.endswith("/requests"):
                reply = [record.state() for record in state.counters.records]
            reply = state.describe() if reply is None else reply
            answer = Answer(status, json.dumps(reply).encode(), "application/json")
            writer.write(answer.encode(method))
            await writer.drain()
    except (OSError, EOFError, ValueError):
        pass
    finally:
        writer.close()


def tls_context(files):
    if not files:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


async def run(options):
    state = State(options.upstream)
    wish = {}
    if options.rules:
        text = options.rules
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                text = file.read()
        wish["rules"] = json.loads(text)
    if options.provider:
        wish["provider"] = options.provider
    state.change(wish)
    context = tls_context(options.tls)
    state.tunnel_context = tls_context(options.tunnel)

    async def connected(reader, writer):
        state.counters.connections += 1
        await exchange.serve(state, reader, writer)

    host, port = address(options.listen)
    server = await asyncio.start_server(connected, host, port, ssl=context, limit=BUFFER, backlog=512)
    steering = await asyncio.start_server(lambda *pair: control(state, *pair), *address(options.control), limit=BUFFER)
    port = server.sockets[0].getsockname()[1]
    name = "localhost" if context else host
    state.endpoint = f"{'https' if context else 'http'}://{name}:{port}"
    control_host, control_port = steering.sockets[0].getsockname()[:2]
    print(json.dumps({"endpoint": state.endpoint, "port": port,
                      "control": f"http://{control_host}:{control_port}/_control"}), flush=True)
    if options.until_eof:
        ended = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
        while await ended.read(4096):
            pass
        # Stalled exchanges would hold an orderly end back.
        os._exit(0)
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description="A faulty proxy and provider simulator; see the top of this file.")
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--control", default="127.0.0.1:0")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    parser.add_argument("--tunnel", nargs=2, metavar=("CERTIFICATE", "KEY"))
    parser.add_argument("--provider")
    parser.add_argument("--rules")
    parser.add_argument("--until-eof", action="store_true")
    try:
        asyncio.run(run(parser.parse_args()))
    except (OSError, ValueError) as error:
        sys.exit(f"proxy: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
