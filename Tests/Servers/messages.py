"""HTTP/1.1 messages as the proxy needs them: heads as lists of fields, bodies as streams of pieces."""

import asyncio
import email.utils
import time

PIECE = 1 << 18  # bytes; what one read takes at most
BUFFER = 1 << 20  # bytes; what a connection holds at most in each direction


class Cut(Exception):
    """The connection with the client ends here: with a reset, or in order but too early."""

    def __init__(self, how="rst"):
        super().__init__(how)
        self.how = how


class Head:
    """Start line and fields of a message, in their order and with their spelling."""

    __slots__ = ("start", "fields")

    def __init__(self, start, fields=()):
        self.start = start
        self.fields = list(fields)

    @classmethod
    def parse(cls, data):
        start, *lines = data.decode("latin-1").split("\r\n")
        fields = []
        for line in lines:
            if line:
                name, _, value = line.partition(":")
                fields.append((name, value.strip(" \t")))
        return cls(start, fields)

    def get(self, name, default=None):
        name = name.lower()
        for field, value in self.fields:
            if field.lower() == name:
                return value
        return default

    def names(self):
        return {name.lower() for name, _ in self.fields}

    def remove(self, name):
        name = name.lower()
        self.fields = [field for field in self.fields if field[0].lower() != name]

    def set(self, name, value):
        self.remove(name)
        self.fields.append((name, value))

    def encode(self):
        lines = [self.start, *(f"{name}: {value}" for name, value in self.fields), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])


async def read_head(reader):
    """The next message's head; None where the other side closed between messages."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise ConnectionError("closed within a head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise ConnectionError("a head without end") from error
    return Head.parse(data.lstrip(b"\r\n"))


class Framing:
    """How long a message's body is: a number of bytes, chunked, or until the connection closes."""

    __slots__ = ("length", "chunked")

    def __init__(self, length=0, chunked=False):
        self.length = length
        self.chunked = chunked

    @classmethod
    def of_request(cls, head):
        if "chunked" in head.get("transfer-encoding", "").lower():
            return cls(None, True)
        return cls(int(head.get("content-length", "0")))

    @classmethod
    def of_response(cls, head, method):
        if method == "HEAD" or head.status in (204, 304) or head.status < 200:
            return cls(0)
        if "chunked" in head.get("transfer-encoding", "").lower():
            return cls(None, True)
        length = head.get("content-length")
        return cls(None if length is None else int(length))

    @property
    def until_close(self):
        return self.length is None and not self.chunked


async def pieces(reader, framing):
    """The body without its framing."""
    if framing.chunked:
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            while size:
                piece = await reader.read(min(size, PIECE))
                if not piece:
                    raise ConnectionError("closed within a chunk")
                size -= len(piece)
                yield piece
                if not size:
                    await reader.readexactly(2)
                    break
            else:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass  # trailers
                return
    left = framing.length
    while left is None or left:
        piece = await reader.read(PIECE if left is None else min(left, PIECE))
        if not piece:
            if left is None:
                return
            raise ConnectionError("closed within a body")
        if left is not None:
            left -= len(piece)
        yield piece


async def whole(reader, framing, limit):
    """The body in one, for those that are small."""
    collected = bytearray()
    async for piece in pieces(reader, framing):
        collected += piece
        if len(collected) > limit:
            raise ConnectionError("a body that is too large to be held")
    return bytes(collected)


async def discard(reader, framing):
    async for _ in pieces(reader, framing):
        pass


async def one_piece(body):
    if body:
        yield body


def frame(piece, chunked):
    return b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece


def http_date(offset=0.0):
    return email.utils.formatdate(time.time() + offset, usegmt=True)


class Answer:
    """A response that the proxy gives itself."""

    def __init__(self, status, body=b"", content_type="application/xml", fields=()):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.fields = list(fields)

    @classmethod
    def error(cls, status, code, message="", fields=(), extra=""):
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{message}</Message>{extra}"
            "<RequestId>proxy0000000000</RequestId><HostId>proxy</HostId></Error>"
        )
        return cls(status, text.encode(), fields=fields)

    def encode(self, method, date_offset=0.0, close=False):
        head = Head(f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}")
        named = {name.lower() for name, _ in self.fields}
        defaults = [
            ("Date", http_date(date_offset)),
            ("x-amz-request-id", "proxy0000000000"),
            ("Content-Type", self.content_type),
        ]
        head.fields = [field for field in defaults if field[0].lower() not in named] + self.fields
        if self.status not in (204, 304):
            # S3 answers HEAD without any body, and errors among these without a length.
            head.set("Content-Length", str(0 if method == "HEAD" else len(self.body)))
        if close:
            head.set("Connection", "close")
        return head.encode() + (b"" if method == "HEAD" or self.status in (204, 304) else self.body)


REASONS = {
    200: "OK", 204: "No Content", 301: "Moved Permanently", 307: "Temporary Redirect", 400: "Bad Request",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 411: "Length Required",
    412: "Precondition Failed", 416: "Range Not Satisfiable", 429: "Too Many Requests", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}
