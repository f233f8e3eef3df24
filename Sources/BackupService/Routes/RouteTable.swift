internal import BackupCore
internal import HTTPTypes
internal import Hummingbird

/// What the service answers to: registers each route with the role that it needs, and knows which methods a path takes.
final class RouteTable: Sendable {
    typealias Handler = @Sendable (Request, ServiceContext) async throws -> Response

    struct Route: Sendable {
        var method: HTTPRequest.Method
        /// With `{name}` for what varies.
        var path: String
        /// Nil: for everyone.
        var role: AccessRole?
        var handler: Handler
    }

    let routes: [Route]

    init(_ routes: [Route]) { self.routes = routes }

    func register(in router: Router<ServiceContext>) {
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                if let role = route.role { try context.require(role) }
                return try await route.handler(request, context)
            }
        }
    }

    /// The methods that are answered at a path.
    func methods(for path: String) -> [String] {
        let parts = path.split(separator: "/")
        let templates = Set(routes.map(\.path)).filter { path in
            let template = path.split(separator: "/")
            return template.count == parts.count
                && zip(template, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // Where a path has a name of its own, it is not the id of something else.
        let nearest = templates.min { $0.count(where: { $0 == "{" }) < $1.count(where: { $0 == "{" }) }
        return routes.filter { $0.path == nearest }.map(\.method.rawValue)
    }

    /// Whether a path is open to everyone.
    func isOpen(_ path: String) -> Bool { routes.contains { $0.role == nil && $0.path == path } }
}
