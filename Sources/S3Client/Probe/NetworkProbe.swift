internal import AsyncHTTPClient
internal import Foundation
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS

/// The way to a server: its name, a connection, the TLS handshake, its clock.
struct NetworkProbe: Sendable {
    private let configuration: S3Configuration
    private let host: String
    private let port: Int
    private let authority: String
    private let proxy: ProxySettings.Proxy?

    init(_ configuration: S3Configuration, authority: String) {
        self.configuration = configuration
        self.authority = authority
        let isTLS = configuration.endpoint.scheme == .https
        port = configuration.endpoint.port ?? (isTLS ? 443 : 80)
        host = configuration.endpoint.port == nil ? authority : String(authority.dropLast("\(port)".count + 1))
        proxy = configuration.proxies?.proxy(forHost: host, port: port, isTLS: isTLS)
    }

    /// Where the connection really goes: to the proxy, where there is one.
    private var target: (host: String, port: Int) {
        if let proxy { return (proxy.host, proxy.port) }
        let address = configuration.addresses[host] ?? host
        return (address.hasPrefix("[") ? String(address.dropFirst().dropLast()) : address, port)
    }

    func resolve() async throws -> String {
        let (name, port) = target
        let addresses = try await NIOThreadPool.singleton.runIfActive { try NetworkProbe.addresses(of: name, port) }
        let way = proxy == nil ? "" : " (the proxy for \(host))"
        return "\(name)\(way) is \(addresses.joined(separator: ", "))"
    }

    func connect() async throws -> String {
        let (name, port) = target
        do {
            let channel = try await bootstrap().connect(host: name, port: port).get()
            let address = channel.remoteAddress?.ipAddress ?? name
            try await channel.close().get()
            return "connected to \(address), port \(port)"
        } catch {
            throw TransportFailure.error(error)
        }
    }

    func shakeHands() async throws -> String {
        if proxy != nil { return "through the proxy; the requests below go over it" }
        let (name, port) = target
        let context = try NIOSSLContext(configuration: try HTTPTransport.tls(configuration))
        let host = host
        let done = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        do {
            let channel = try await bootstrap().channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host),
                        HandshakeWatcher(done))
                }
            }.connect(host: name, port: port).get()
            // A server that takes the connection and then says nothing must not hold the check.
            let limit = channel.eventLoop.scheduleTask(in: .seconds(Int64(configuration.connectTimeout))) {
                done.fail(HTTPClientError.tlsHandshakeTimeout)
            }
            defer {
                limit.cancel()
                channel.close(promise: nil)
            }
            return try await done.futureResult.get()
        } catch {
            done.fail(error)
            throw TransportFailure.error(error)
        }
    }

    /// Asks without credentials: the answer, whatever it is, has a date.
    func compareClocks() async throws -> String {
        let transport = try HTTPTransport(configuration)
        let result: HTTPAnswer
        do {
            result = try await transport.send(
                HTTPRequestPlan(
                    method: "GET", url: "\(configuration.endpoint.scheme.rawValue)://\(authority)/",
                    headers: [(name: "user-agent", value: configuration.userAgent)], body: .bytes([])),
                into: nil, limit: 64 << 10, patience: .ordinary, deadline: .now() + .seconds(20))
        } catch {
            await transport.shutdown()
            guard var error = error as? S3Error, error.kind == .transport, configuration.endpoint.scheme == .http else {
                throw error
            }
            error.message += "; should the endpoint begin with https://?"
            throw error
        }
        await transport.shutdown()
        let start = String(decoding: result.body.prefix(512), as: UTF8.self).lowercased()
        if start.contains("<html") || start.contains("<!doctype") {
            throw S3Error(
                .malformedAnswer, "\(authority) answers with a web page; it is not an S3 server's endpoint")
        }
        guard let date = result.header("date").flatMap(HTTPDate.parse) else {
            return "the server does not tell the time"
        }
        let difference = date - configuration.clock()
        guard abs(difference) <= RetryDecision.bearableClockDifference else {
            let way = difference > 0 ? "behind" : "ahead of"
            throw S3Error(
                .service, "this machine's clock is \(abs(difference)) seconds \(way) the server's",
                code: "RequestTimeTooSkewed")
        }
        return "\(abs(difference)) seconds from the server's"
    }

    private func bootstrap() -> ClientBootstrap {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(Int64(configuration.connectTimeout)))
    }

    private static func addresses(of name: String, _ port: Int) throws -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, String(port), &hints, &list)
        guard status == 0 else {
            throw S3Error(
                .transport,
                "the name \(name) is not known (\(String(cString: gai_strerror(status)))); check the "
                    + "endpoint, and this machine's name resolution")
        }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(text.count)
            if getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0
            {
                let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if !found.contains(address) { found.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}

/// Tells when a TLS handshake is over.
private final class HandshakeWatcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let done: EventLoopPromise<String>

    init(_ done: EventLoopPromise<String>) { self.done = done }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { done.succeed("the certificate is good for this name") }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
