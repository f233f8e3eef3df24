"""One connection of a client: its requests, one after the other, on their way to the upstream and back."""

import asyncio
import re
import socket
import struct
import time

import signature
from messages import (BUFFER, Answer, Cut, Framing, Head, discard, frame, http_date, one_piece, pieces, read_head,
                      whole)
from operations import Request

SMALL = 1 << 16  # bytes; bodies up to here are read before anything else happens
LARGEST_DOCUMENT = 4 << 20  # bytes; of the XML documents of these operations
DOCUMENTS = {"CompleteMultipartUpload", "DeleteObjects"}
ETAG_DOCUMENTS = {"CompleteMultipartUpload", "CopyObject", "UploadPartCopy", "ListParts"}
ETAG = re.compile(rb"<ETag>.*?</ETag>", re.DOTALL)


class UpstreamGone(Exception):
    """The upstream refused the connection or ended it without an answer."""


async def cut(writer, how):
    """Ends a connection: in order after what was written, or with a reset."""
    try:
        if how == "rst":
            # A reset throws away what is not sent yet, and the fault is to come after it.
            for _ in range(100):
                if not writer.transport.get_write_buffer_size():
                    break
                await asyncio.sleep(0.01)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()
    except OSError:
        writer.transport.abort()


class Upstream:
    """The connection to the upstream that belongs to one connection of a client; renewed when it was idle."""

    IDLE = 1.0  # seconds; servers keep connections for longer

    def __init__(self, state):
        self.state = state
        self.address = None
        self.reader = self.writer = None
        self.used = 0.0

    async def open(self):
        rested = time.monotonic() - self.used
        if self.writer and not self.reader.at_eof() and rested < self.IDLE and self.address == self.state.upstream:
            return
        self.close()
        self.address = self.state.upstream
        try:
            self.reader, self.writer = await asyncio.open_connection(*self.address, limit=BUFFER)
        except OSError as error:
            raise UpstreamGone(str(error)) from error
        self.writer.transport.set_write_buffer_limits(BUFFER)

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None


class Exchange:
    """One request and its answer."""

    def __init__(self, state, reader, writer, upstream, head):
        self.state = state
        self.reader = reader
        self.writer = writer
        self.upstream = upstream
        self.request = Request(head, state.domains)
        self.framing = Framing.of_request(head)
        self.plan = state.faults.plan(self.request)
        self.plan.response.sleep = self.idle
        self.record = state.counters.begin(self.request, self.plan.names)
        self.keeps = "close" not in head.get("connection", "").lower()
        self.body_is_read = self.framing.length == 0

    async def run(self):
        """True where the connection can take a further request."""
        try:
            await self.steps()
        except Cut as reason:
            self.record.outcome = "cut"
            self.upstream.close()
            await cut(self.writer, reason.how)
            return False
        except UpstreamGone as reason:
            self.record.outcome = f"upstream: {reason}"
            self.upstream.close()
            await cut(self.writer, "fin")
            return False
        except (OSError, EOFError):
            self.record.outcome = self.record.outcome or "client gone"
            raise
        finally:
            self.state.counters.end(self.record)
        return self.keeps

    async def steps(self):
        plan, request = self.plan, self.request
        if plan.cut_at_start:
            raise plan.cut_at_start
        await self.idle(plan.stall_at_start)
        if plan.answer and plan.early:
            return await self.give(plan.answer)
        if "100-continue" in request.header("expect", "").lower():
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # Some servers leave the connection hanging after they refused a request that waits. Where the signature
            # covers the field, as in a repeated request of the AWS SDK for Go, it has to stay.
            if "expect" not in signature.signed_fields(request):
                request.head.remove("Expect")
        await self.read_small_body()
        if plan.delay:
            await self.idle(plan.delay)
        refusal = self.clock() or (self.state.simulator and self.state.simulator.refuse(request))
        if refusal:
            self.record.refused = refusal.status >= 300
            return await self.give(refusal)
        sends = plan.forward or plan.lose or not plan.answer
        if plan.stall_before_answer or plan.cut_before_answer or (plan.answer and not sends):
            await self.skip_body()
            await self.idle(plan.stall_before_answer)
            if plan.cut_before_answer:
                raise plan.cut_before_answer
            if plan.answer and not sends:
                return await self.give(plan.answer)
        await self.forward()

    async def read_small_body(self):
        limit = LARGEST_DOCUMENT if self.request.operation in DOCUMENTS else SMALL
        if self.framing.length is not None and self.framing.length <= limit:
            self.request.body = await whole(self.reader, self.framing, limit)
            self.record.received += len(self.request.body)
            self.body_is_read = True

    async def skip_body(self):
        # The upstream still needs the body of a request that only has to wait.
        if self.plan.stall_before_answer and not (self.plan.cut_before_answer or self.plan.answer):
            return
        if not self.body_is_read:
            async for piece in pieces(self.reader, self.framing):
                self.record.received += len(piece)
            self.body_is_read = True

    async def idle(self, seconds):
        """Waits, but not longer than the client does."""
        if not seconds:
            return
        if not self.body_is_read:
            await asyncio.sleep(seconds)
            return
        gone = asyncio.ensure_future(self.reader.read(1))
        try:
            await asyncio.wait({gone}, timeout=seconds)
            if gone.done():
                raise Cut()
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    async def give(self, answer):
        """The proxy's own answer. What is left of the body is read afterwards, as far as the client sends it."""
        early = not self.body_is_read
        self.record.status = answer.status
        data = answer.encode(self.request.method, self.state.clock_offset, close=early and self.plan.early)
        if early and not self.plan.early:
            await self.skip_body_for_answer()
            early = False
        self.record.sent += 0 if self.request.method == "HEAD" else len(answer.body)
        self.writer.write(data)
        await self.writer.drain()
        if early:
            self.keeps = False
            try:
                await asyncio.wait_for(discard(self.reader, self.framing), 5)
            except (asyncio.TimeoutError, OSError, EOFError):
                pass

    async def skip_body_for_answer(self):
        async for piece in pieces(self.reader, self.framing):
            self.record.received += len(piece)
        self.body_is_read = True

    def clock(self):
        """Where the simulated clock differs: refuses what is off against it, signs the rest for the real time."""
        if not self.state.clock_offset:
            return None
        at = signature.signed_at(self.request)
        if at is None:
            return None
        now = time.time()
        if abs(at - now - self.state.clock_offset) > self.state.clock_tolerance:
            return Answer.error(403, "RequestTimeTooSkewed", "The clocks differ too much.", extra=(
                f"<ServerTime>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now + self.state.clock_offset))}"
                f"</ServerTime><MaxAllowedSkewMilliseconds>{int(self.state.clock_tolerance * 1000)}"
                "</MaxAllowedSkewMilliseconds>"))
        if self.request.header("authorization") and not signature.resign(self.request, self.state.keys, now):
            return Answer.error(403, "SignatureDoesNotMatch", "The signature does not match.")
        return None

    # --- upstream

    async def forward(self):
        await self.upstream.open()
        reader, writer = self.upstream.reader, self.upstream.writer
        request, pump = self.request, None
        head = Head(f"{request.method} {request.target} HTTP/1.1", request.head.fields)
        head.remove("Connection")
        writer.write(head.encode())
        if self.body_is_read:
            await self.send_body(one_piece(request.body))
        else:
            pump = asyncio.ensure_future(self.send_body(pieces(self.reader, self.framing)))
        try:
            head = await self.final_head(reader, pump)
            await self.relay(head, reader)
        finally:
            if pump:
                await self.finish(pump)
        if head.get("connection", "").lower() == "close":
            self.upstream.close()
        self.upstream.used = time.monotonic()

    async def send_body(self, source):
        writer, stream, chunked = self.upstream.writer, self.plan.request, self.framing.chunked
        async for piece in source:
            if not self.request.body:
                self.record.received += len(piece)
            try:
                if stream.is_plain:
                    writer.write(frame(piece, chunked))
                else:
                    async for part in stream.shape(piece):
                        writer.write(frame(part, chunked))
                        await writer.drain()
                await writer.drain()
            except ConnectionError as error:
                raise UpstreamGone(str(error)) from error
        if stream.stop_at is not None:
            await stream.halt()
        if chunked:
            writer.write(b"0\r\n\r\n")
        self.body_is_read = True

    async def final_head(self, reader, pump):
        """The answer's head, which may come before the body was sent."""

        async def wait():
            while True:
                try:
                    head = await read_head(reader)
                except ConnectionError as error:
                    raise UpstreamGone(str(error)) from error
                if head is None:
                    raise UpstreamGone("closed without an answer")
                if head.status >= 200:
                    return head

        if pump is None:
            return await wait()
        answer = asyncio.ensure_future(wait())
        try:
            await asyncio.wait({pump, answer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and pump.exception() and not isinstance(pump.exception(), UpstreamGone):
                raise pump.exception()
            head = await answer
            # An answer to the last byte may overtake what this side does after it. An answer to less than the whole
            # body ends the connection, and its head has to say so.
            await asyncio.wait({pump}, timeout=0.25)
            self.keeps = self.keeps and pump.done()
            return head
        finally:
            answer.cancel()

    async def finish(self, pump):
        """After an answer that came before the end of the body: what the client still sends is taken for a while."""
        if not pump.done():
            self.keeps = False
            await asyncio.wait({pump}, timeout=2)
            pump.cancel()
            self.upstream.close()
        elif pump.exception():
            self.keeps = False
            self.upstream.close()

    async def relay(self, head, reader):
        """Brings the answer to the client, changed as the rules and the simulator say."""
        plan, request, simulator = self.plan, self.request, self.state.simulator
        framing = Framing.of_response(head, request.method)
        if framing.until_close:
            self.keeps = False
        if plan.lose or plan.answer:
            return await self.withhold(head, reader, framing)
        source = pieces(reader, framing)
        rewrites_etag = plan.etag is not None and request.operation in ETAG_DOCUMENTS
        if framing.length != 0 and (rewrites_etag or (simulator and simulator.reads_answer(request, head))):
            body = await whole(reader, framing, LARGEST_DOCUMENT)
            if rewrites_etag:
                body = ETAG.sub(b"<ETag>" + plan.etag.replace('"', "&quot;").encode() + b"</ETag>", body)
            if simulator:
                body = simulator.answered(request, head, body)
            head.remove("Transfer-Encoding")
            head.set("Content-Length", str(len(body)))
            framing, source = Framing(len(body)), one_piece(body)
        elif simulator:
            simulator.answered(request, head, None)
        self.change_fields(head)
        self.record.status = head.status
        self.writer.write(head.encode())
        await self.send_answer(source, framing)

    async def withhold(self, head, reader, framing):
        """The upstream did it, and the client hears something else, or nothing."""
        simulator = self.state.simulator
        if simulator:
            reads = framing.length != 0 and simulator.reads_answer(self.request, head)
            body = await whole(reader, framing, LARGEST_DOCUMENT) if reads else None
            simulator.answered(self.request, head, body)
            framing = Framing(0) if reads else framing
        await discard(reader, framing)
        self.record.outcome = f"upstream answered {head.status}"
        if self.plan.lose:
            raise self.plan.lose
        await self.give(self.plan.answer)

    def change_fields(self, head):
        plan = self.plan
        if plan.etag is not None and head.get("etag") is not None:
            head.set("ETag", plan.etag)
        if plan.truncated_length is not None:
            head.set("Content-Length", str(plan.truncated_length))
        if self.state.clock_offset:
            head.set("Date", http_date(self.state.clock_offset))
        for name in plan.removed_fields:
            head.remove(name)
        for name, value in plan.set_fields.items():
            head.set(name, value)
        # The client's connection and the upstream's live apart.
        head.remove("Connection")
        head.remove("Keep-Alive")
        if not self.keeps:
            head.set("Connection", "close")

    async def send_answer(self, source, framing):
        stream = self.plan.response
        async for piece in source:
            if stream.is_plain:
                self.writer.write(frame(piece, framing.chunked))
                self.record.sent += len(piece)
            else:
                async for part in stream.shape(piece):
                    self.record.sent += len(part)
                    self.writer.write(frame(part, framing.chunked))
                    await self.writer.drain()
            await self.writer.drain()
        if stream.stop_at is not None:
            await stream.halt()
        if framing.chunked:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()


async def tunnel(state, reader, writer):
    """A client that takes this for its forward proxy wants https: the tunnel ends here, as the server it asked for."""
    if state.tunnel_context is None:
        writer.write(Answer.error(501, "NotImplemented", "Start the proxy with --tunnel.").encode("CONNECT"))
        raise ConnectionError("CONNECT without a certificate")
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()
    await writer.start_tls(state.tunnel_context)
    writer.transport.set_write_buffer_limits(BUFFER)


async def serve(state, reader, writer):
    """A client's connection to its end."""
    writer.transport.set_write_buffer_limits(BUFFER)
    upstream = Upstream(state)
    try:
        while True:
            head = await read_head(reader)
            if head is not None and head.start.startswith("CONNECT "):
                await tunnel(state, reader, writer)
                continue
            if head is None or not await Exchange(state, reader, writer, upstream, head).run():
                break
    except (OSError, EOFError, ValueError):
        pass  # The client is gone, or does not speak HTTP.
    finally:
        upstream.close()
        if not writer.is_closing():
            writer.close()
