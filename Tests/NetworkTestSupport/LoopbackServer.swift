internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An HTTP server on 127.0.0.1 that answers as a test says, and remembers what it was asked.
package final class LoopbackServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// Path and query as they came.
        package var target: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
        package var path: String { String(target.prefix { $0 != "?" }) }

        /// The first header of that name.
        package subscript(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(String, String)] = []
        package var body: [UInt8] = []

        package init(_ status: Int, _ text: String = "", headers: [(String, String)] = []) {
            self.init(status, bytes: Array(text.utf8), headers: headers)
        }

        package init(_ status: Int, bytes: [UInt8], headers: [(String, String)] = []) {
            self.status = status
            self.headers = headers
            body = bytes
        }
    }

    /// nil keeps the connection open without an answer.
    package typealias Script = @Sendable (Request) async -> Answer?

    private let log: Mutex<[Request]> = Mutex([])
    private let script: Script
    private let boundPort = Mutex(0)

    package var port: Int { boundPort.withLock { $0 } }
    package var origin: String { "http://127.0.0.1:\(port)" }
    /// In the order in which they were whole.
    package var requests: [Request] { log.withLock { $0 } }

    private init(_ script: @escaping Script) { self.script = script }

    /// Serves while `body` runs.
    package static func serve<Value>(
        _ script: @escaping Script, _ body: (LoopbackServer) async throws -> Value
    ) async throws -> Value {
        let server = LoopbackServer(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(LoopbackHandler(server.answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.boundPort.withLock { $0 = channel.localAddress?.port ?? 0 }
        let result: Result<Value, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        try await channel.close()
        return try result.get()
    }

    private func answer(_ request: Request) async -> Answer? {
        log.withLock { $0.append(request) }
        return await script(request)
    }
}

/// Gathers a request and writes what the script says; one request of a connection after the other.
private final class LoopbackHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: LoopbackServer.Script
    private var request: LoopbackServer.Request?

    init(_ answer: @escaping LoopbackServer.Script) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = LoopbackServer.Request(
                method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
                body: [])
        case .body(let buffer):
            request?.body += buffer.readableBytesView
        case .end:
            guard let request else { return }
            self.request = nil
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let answer = answer
            context.eventLoop.makeFutureWithTask { await answer(request) }
                .whenSuccess { response in
                    guard let response else { return }
                    let (handler, context) = bound.value
                    handler.write(response, isHead: request.method == "HEAD", context)
                }
        }
    }

    private func write(_ response: LoopbackServer.Answer, isHead: Bool, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(response.headers)
        if !headers.contains(name: "content-length") {
            headers.add(name: "content-length", value: String(response.body.count))
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
