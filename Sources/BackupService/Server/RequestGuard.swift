internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// What a connection's two handlers know together. Belongs to the connection's event loop.
final class ConnectionState {
    var pace: ConnectionPace
    /// Nothing that comes is read any more.
    var isClosing = false

    init(_ limits: ServerLimits) { pace = ConnectionPace(limits, at: .now()) }
}

/// Sees the bytes before they are parsed: when a header begins, and how long its first line is.
final class RequestBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let state: ConnectionState

    init(_ state: ConnectionState) { self.state = state }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state.isClosing { return }
        state.pace.bytesCame(unwrapInboundIn(data).readableBytesView, at: .now())
        context.fireChannelRead(data)
    }
}

/// Turns away what no request is or what is too large, and clients that take too long. Closes connections after answers
/// that say so.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits
    private let state: ConnectionState
    private var watch: RepeatedTask?
    private var stop: Scheduled<Void>?
    private var hasAnswerBegun = false
    private var closesAfterAnswer = false

    init(_ limits: ServerLimits, _ state: ConnectionState) {
        self.limits = limits
        self.state = state
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) {
        let shortest = min(limits.headerTime, limits.bodyTime, limits.stallTime)
        let pause = max(.milliseconds(10), min(.seconds(1), TimeAmount(shortest / 4)))
        let loop = context.eventLoop
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
        watch = loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            bound.value.handler.look(bound.value.context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch?.cancel()
        watch = nil
        stop?.cancel()
        stop = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, stop == nil {
            let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
            stop = context.eventLoop.scheduleTask(in: TimeAmount(limits.stopTime)) {
                bound.value.handler.close(bound.value.context)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func look(_ context: ChannelHandlerContext) {
        guard !state.isClosing else { return }
        switch state.pace.verdict(at: .now()) {
        case .patient: break
        case .close: close(context)
        case .timeout: refuse(.requestTimeout, "the request took too long", context)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        state.isClosing = true
        context.close(promise: nil)
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state.isClosing { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            let isChunked = head.headerFields[.transferEncoding] != nil
            let length = head.headerFields[.contentLength].map { Int($0) } ?? 0
            state.pace.headerEnded(length: isChunked ? nil : length)
        case .body(let buffer): state.pace.bodyCame(buffer.readableBytes)
        case .end: state.pace.requestEnded()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        state.pace.delivered(at: .now())
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        state.pace.asked(at: .now())
        context.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let fault = error as? HTTPParserError, state.pace.unanswered == 0, !state.isClosing else {
            // Whoever reads the body is told of it.
            context.fireErrorCaught(error)
            return
        }
        if fault == .headerOverflow {
            let isLine = state.pace.isLineTooLong
            refuse(
                isLine ? .uriTooLong : .requestHeaderFieldsTooLarge,
                isLine ? "the request's first line is too long" : "the request's header is too large", context)
        } else {
            refuse(.badRequest, "this is no valid HTTP request", context)
        }
    }

    // MARK: What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.isClosing else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            hasAnswerBegun = head.status.kind != .informational
            // Who is answered before the body's end is refused: what else is sent would be read for nothing.
            if hasAnswerBegun, state.pace.rest.map({ $0 > limits.unwantedBody }) ?? true {
                head.headerFields[.connection] = "close"
            }
            closesAfterAnswer = head.headerFields[.connection]?.lowercased() == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            hasAnswerBegun = false
            state.pace.answerEnded()
            guard closesAfterAnswer else { return context.write(data, promise: promise) }
            state.isClosing = true
            context.writeAndFlush(data, promise: promise)
            linger(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        state.pace.writabilityChanged(context.channel.isWritable, at: .now())
        context.fireChannelWritabilityChanged()
    }

    /// Answers in place of the service and closes. Where an answer has begun there is no place for another one.
    private func refuse(_ status: HTTPResponse.Status, _ message: String, _ context: ChannelHandlerContext) {
        guard !hasAnswerBegun else { return close(context) }
        state.isClosing = true
        let code = status.reasonPhrase.lowercased().replacing(" ", with: "_")
        let body = ByteBuffer(string: "{\"code\":\"\(code)\",\"error\":\"\(message)\"}")
        var head = HTTPResponse(status: status)
        head.headerFields[.contentType] = "application/json; charset=utf-8"
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        head.headerFields[.cacheControl] = "no-store"
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }

    /// A connection that is closed while bytes of the client wait unread is reset, and the answer with it may be lost.
    private func linger(_ context: ChannelHandlerContext) {
        // What it goes on to send is read and thrown away.
        context.read()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(limits.lingerTime)) { bound.value.close(promise: nil) }
    }
}
