internal import BackupCore
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// Turns every failure into an answer of one shape, and gives each answer its request's id and what keeps browsers from
/// taking it for something else.
struct FailureMiddleware: RouterMiddleware {
    let routes: RouteTable
    /// Whether the connections are TLS.
    let isSecure: Bool

    private static let headers: [(HTTPField.Name, String)] = [
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }

    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let refusal as Refusal {
            response = Answer.failure(refusal)
        } catch let error as BackupError {
            response = Answer.failure(Refusal(error))
        } catch let error as HTTPError where error.status == .notFound {
            let methods = routes.methods(for: request.uri.path)
            response = Answer.failure(methods.isEmpty ? .notFound(request.uri.path) : .notAllowed(methods))
        } catch let error as HTTPError {
            response = Answer.failure(
                Refusal(status: error.status, code: "usage", message: error.body ?? error.status.reasonPhrase))
        } catch {
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            response = Answer.failure(
                Refusal(status: .internalServerError, code: "internal", message: "an internal error; see the log"))
        }
        if let name = HTTPField.Name("X-Request-ID") { response.headers[name] = context.requestID }
        for (name, value) in FailureMiddleware.headers where response.headers[name] == nil {
            response.headers[name] = value
        }
        // Only the headers of what GET would be answered with.
        if request.method == .head { response = response.createHeadResponse() }
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}
