internal import Hummingbird
internal import Logging

/// A line for each request: never its query, its headers or its body, which may hold what is secret.
struct AccessLogMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let elapsed = (ContinuousClock.now - start) / .milliseconds(1)
        context.logger.info(
            "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path.prefix(200))",
                "status": "\(response.status.code)", "ms": "\(Int(elapsed))", "caller": "\(context.name)",
                "address": "\(context.address)",
            ])
        return response
    }
}
