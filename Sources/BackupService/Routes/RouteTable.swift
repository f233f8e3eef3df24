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
    /// Their paths, each once, by segments.
    private let templates: [(path: String, segments: [Substring])]

    init(_ routes: [Route]) {
        self.routes = routes
        templates = Set(routes.map(\.path)).sorted().map { ($0, $0.split(separator: "/")) }
    }

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
        let template = template(for: path)
        return routes.filter { $0.path == template }.map(\.method.rawValue)
    }

    /// The path of the route that answers at a path, as the router finds it: segment by segment, a name of its own
    /// before what varies. Nil where there is none.
    func template(for path: String) -> String? {
        var candidates = templates
        let parts = path.split(separator: "/")
        candidates.removeAll { $0.segments.count != parts.count }
        for (place, part) in parts.enumerated() {
            let named = candidates.filter { $0.segments[place] == part }
            candidates = named.isEmpty ? candidates.filter { $0.segments[place].hasPrefix("{") } : named
        }
        return candidates.first?.path
    }

    /// Whether a path is open to everyone.
    func isOpen(_ path: String) -> Bool { routes.contains { $0.role == nil && $0.path == path } }
}
