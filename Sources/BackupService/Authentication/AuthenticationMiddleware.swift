internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird

/// Finds out who asks. Whatever is not open to everyone needs a token, also where nothing is.
struct AuthenticationMiddleware: RouterMiddleware {
    let engine: BackupEngine
    let elder: ElderTokenVerifier?
    let routes: RouteTable

    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        if routes.isOpen(request.uri.path) { return try await next(request, context) }
        guard let field = request.headers[.authorization] else {
            throw Refusal.unauthenticated("a token is needed: send Authorization: Bearer TOKEN")
        }
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Refusal.unauthenticated("the header Authorization must be: Bearer TOKEN")
        }
        var context = context
        context.caller = try await caller(String(words[1]))
        return try await next(request, context)
    }

    private func caller(_ token: String) async throws -> Caller {
        if let found = try await engine.authenticate(token: token) { return Caller(name: found.name, role: found.role) }
        if let elder { return try elder.caller(token, at: Timestamp.now()) }
        throw Refusal.unauthenticated("the token is not valid: it is unknown, expired or revoked")
    }
}
