import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// A proxy between client and server that does what it is told; `Tests/Servers/proxy.py` says what that may be.
final class FaultyProxy: Sendable {
    let endpoint: String
    let port: Int
    private let control: String
    /// It ends with its standard input.
    private let input: Pipe

    private init(endpoint: String, port: Int, control: String, input: Pipe) {
        self.endpoint = endpoint
        self.port = port
        self.control = control
        self.input = input
    }

    deinit { try? input.fileHandleForWriting.close() }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private struct Greeting: Decodable {
        let endpoint: String
        let port: Int
        let control: String
    }

    /// - Parameter arguments: beyond those that every proxy gets.
    static func start(before upstream: String, _ arguments: [String] = []) async throws -> FaultyProxy {
        let python = try TestEnvironment.value("PYTHON")
        let script = try TestEnvironment.value("PROXY")
        return try await NIOThreadPool.singleton.runIfActive {
            let process = Process()
            let input = Pipe()
            let output = Pipe()
            process.executableURL = URL(filePath: python)
            process.arguments = [script, "--upstream", upstream, "--until-eof"] + arguments
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            var line = Data()
            while line.last != UInt8(ascii: "\n") {
                let more = output.fileHandleForReading.availableData
                guard !more.isEmpty else { throw Failed(description: "the proxy does not start") }
                line += more
            }
            let greeting = try JSONDecoder().decode(Greeting.self, from: line)
            return FaultyProxy(
                endpoint: greeting.endpoint, port: greeting.port, control: greeting.control, input: input)
        }
    }

    /// - Parameter rules: a JSON array of rules.
    func set(rules: String) async throws {
        _ = try await tell("{\"rules\": \(rules)}")
    }

    func reset() async throws { _ = try await tell("{\"reset\": true}") }

    func resetCounters() async throws { _ = try await tell("{\"counters\": \"reset\"}") }

    /// - Parameter wish: a JSON object.
    @discardableResult
    func tell(_ wish: String) async throws -> ProxyState {
        var request = HTTPClientRequest(url: control)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: wish))
        return try await ask(request)
    }

    func state() async throws -> ProxyState { try await ask(HTTPClientRequest(url: control)) }

    /// How many requests of an operation have come, refused ones included.
    func requests(_ operation: String) async throws -> Int {
        try await state().operations[operation]?.requests ?? 0
    }

    /// Asks until something has come about; fails after 30 seconds.
    func until(_ condition: (ProxyState) -> Bool) async throws {
        let start = ContinuousClock.now
        while !condition(try await state()) {
            guard ContinuousClock.now - start < .seconds(30) else {
                throw Failed(description: "the proxy did not see in 30 s what the test waits for")
            }
        }
    }

    private func ask(_ request: HTTPClientRequest) async throws -> ProxyState {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 32 << 20)
        guard response.status == .ok else {
            throw Failed(description: "the proxy refuses: \(String(buffer: body))")
        }
        return try JSONDecoder().decode(ProxyState.self, from: Data(body.readableBytesView))
    }
}

/// What a proxy has seen.
struct ProxyState: Decodable, Sendable {
    struct Operation: Decodable, Sendable {
        let requests: Int
        let refused: Int
        let faulted: Int
        let cut: Int
        let inFlight: Int
        let peakInFlight: Int
        let bytesReceived: Int64
        let bytesSent: Int64
        let statuses: [String: Int]

        enum CodingKeys: String, CodingKey {
            case requests, refused, faulted, cut, statuses
            case inFlight = "in_flight"
            case peakInFlight = "peak_in_flight"
            case bytesReceived = "bytes_received"
            case bytesSent = "bytes_sent"
        }
    }

    let requests: Int
    let refusals: [String: Int]
    let operations: [String: Operation]
}

extension FaultyProxy {
    private static let pool = ProxyPool()

    /// A proxy for one test alone, with nothing wrong with it.
    static func borrowed(before upstream: String, _ body: (FaultyProxy) async throws -> Void) async throws {
        let proxy = try await pool.take(before: upstream)
        do {
            try await body(proxy)
            await pool.giveBack(proxy, upstream)
        } catch {
            await pool.giveBack(proxy, upstream)
            throw error
        }
    }

    /// The proxy that plays a provider, one for all tests.
    static func provider(_ store: TestStore) async throws -> FaultyProxy { try await pool.provider(store) }
}

/// Keeps proxies from test to test: starting one costs more than most tests.
private actor ProxyPool {
    private var idle: [String: [FaultyProxy]] = [:]
    private var providers: [TestStore: Task<FaultyProxy, any Error>] = [:]

    func take(before upstream: String) async throws -> FaultyProxy {
        if let proxy = idle[upstream]?.popLast() {
            try await proxy.reset()
            return proxy
        }
        return try await FaultyProxy.start(before: upstream)
    }

    func giveBack(_ proxy: FaultyProxy, _ upstream: String) { idle[upstream, default: []].append(proxy) }

    func provider(_ store: TestStore) async throws -> FaultyProxy {
        if let starting = providers[store] { return try await starting.value }
        // Shared by all tests, so it belongs to none of them.
        let starting = Task { try await FaultyProxy.start(before: try store.address, ["--provider", store.rawValue]) }
        providers[store] = starting
        return try await starting.value
    }
}
