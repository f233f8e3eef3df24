internal import HTTPTypes
internal import Hummingbird
internal import Metrics

/// Counts requests by what they asked for, never by what a client may choose freely.
struct HTTPMetricsMiddleware: RouterMiddleware {
    let registry: MetricsRegistry
    let routes: RouteTable

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]

    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let method = request.method.rawValue
        let labels = [
            ("method", HTTPMetricsMiddleware.methods.contains(method) ? method : MetricLabels.other),
            ("route", routes.template(for: request.uri.path) ?? MetricLabels.other),
        ]
        let status = response.status.code / 100
        Counter(
            label: MetricDefinition.requests.name, dimensions: labels + [("status", "\(status)xx")], factory: registry
        ).increment()
        Timer(label: MetricDefinition.requestDuration.name, dimensions: labels, factory: registry)
            .recordNanoseconds(Int64((ContinuousClock.now - start) / .nanoseconds(1)))
        return response
    }
}
