internal import BackupCore
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Synchronization

/// What is known of a request while it is answered.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks; nil before authentication.
    var caller: Caller? {
        get { party.caller }
        nonmutating set { party.caller = newValue }
    }

    /// At the other end of the connection; nil where that is no address of the Internet.
    let peer: NetworkAddress?
    /// Where the request comes from, as far as the proxies in between are believed.
    var address: String {
        get { party.address }
        nonmutating set { party.address = newValue }
    }

    /// Who asks, and from where, once that is known: to whoever holds a copy of this too.
    private let party = RequestParty()

    /// Goes with the answer and with every line of the log. The framework's own is only there where the log keeps it.
    let requestID = String(UInt64.random(in: .min ... .max), radix: 16)

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress?.ipAddress.flatMap(NetworkAddress.init)
        logger[metadataKey: "request"] = "\(requestID)"
        // The framework's own number of a request is on no answer.
        logger[metadataKey: "hb.request.id"] = nil
    }

    /// The number in the path.
    ///
    /// - Throws: `notFound` for what is no number, since nothing has such an id.
    func id(_ kind: String) throws -> Int64 {
        let text = parameters.get("id") ?? ""
        guard let id = Int64(text), id > 0 else {
            throw BackupError(.notFound, "there is no \(kind) \"\(text.prefix(40))\"")
        }
        return id
    }

    /// Who asks, for records and logs.
    var name: String { caller?.name ?? "nobody" }

    func require(_ role: AccessRole) throws {
        guard let caller else { throw Refusal.unauthenticated("a token is needed") }
        guard caller.role >= role else {
            throw Refusal.forbidden("this needs the role \(role.rawValue); \(caller.name) is \(caller.role.rawValue)")
        }
    }
}

/// What authentication finds out, for all copies of a context.
private final class RequestParty: Sendable {
    private struct State {
        var caller: Caller?
        var address = "unknown"
    }

    private let state = Mutex(State())

    var caller: Caller? {
        get { state.withLock { $0.caller } }
        set { state.withLock { $0.caller = newValue } }
    }

    var address: String {
        get { state.withLock { $0.address } }
        set { state.withLock { $0.address = newValue } }
    }
}

/// Who asks.
struct Caller: Sendable {
    /// For logs: `token:` and a token's name, or `elder:` and the subject of Elder's token.
    var name: String
    var role: AccessRole
}
