internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird

/// Finds out who asks, from where, and whether that one asks too often. Whatever is not open to everyone needs a token,
/// also where nothing is.
struct AuthenticationMiddleware: RouterMiddleware {
    let engine: BackupEngine
    let elder: ElderTokenVerifier?
    let roles: ElderRoles
    let routes: RouteTable
    let addresses: ClientAddress
    let signIns: SignInGuard
    let refused: RefusedSignIns
    let rates: RateLimiter

    private static let forwarded = HTTPField.Name("X-Forwarded-For")

    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let forwarded = AuthenticationMiddleware.forwarded.flatMap { request.headers[$0] }
        let address = addresses.find(peer: context.peer, forwarded: forwarded)
        context.address = address?.description ?? "unknown"
        let party = address?.party.description ?? "unknown"
        if routes.isOpen(request.uri.path) {
            try limit("address " + party)
            return try await next(request, context)
        }
        let caller: Caller
        do {
            caller = try await authenticate(request, party)
        } catch let refusal as Refusal {
            // Whoever is refused has only the address to be counted by.
            try limit("address " + party)
            throw refusal
        }
        try limit("caller " + caller.name)
        context.caller = caller
        let actor = AuditActor(
            name: caller.name, role: caller.role, requestID: context.requestID, address: context.address)
        return try await AuditActor.$current.withValue(actor) { try await next(request, context) }
    }

    private func limit(_ key: String) throws {
        if let seconds = rates.wait(key) {
            throw Refusal.tooMany("too many requests: at most BACKUP_RATE_LIMIT a minute are served", seconds)
        }
    }

    private func authenticate(_ request: Request, _ party: String) async throws -> Caller {
        guard let field = request.headers[.authorization] else {
            throw Refusal.unauthenticated("a token is needed: send Authorization: Bearer TOKEN")
        }
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Refusal.unauthenticated("the header Authorization must be: Bearer TOKEN")
        }
        let token = String(words[1])
        let attempt = SignInGuard.Attempt(token: token, address: party)
        if let seconds = await signIns.wait(attempt) {
            refused.note(party)
            throw Refusal.lockedOut("too many tokens from here were not valid", seconds)
        }
        do {
            let caller = try await caller(token)
            signIns.succeeded(attempt)
            return caller
        } catch let refusal as Refusal {
            if refusal.isGuess { signIns.failed(attempt) } else { signIns.abandoned(attempt) }
            if refusal.status != .serviceUnavailable { refused.note(party) }
            throw refusal
        } catch {
            signIns.abandoned(attempt)
            throw error
        }
    }

    private func caller(_ token: String) async throws -> Caller {
        if let found = try await engine.authenticate(token: token) {
            return Caller(name: "token:" + found.name, role: found.role)
        }
        guard let elder else { throw Refusal.invalidToken }
        return try await roles.caller(try await elder.subject(token, at: Timestamp.now()))
    }
}
