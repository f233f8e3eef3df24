internal import BackupCore
internal import Hummingbird

/// The description of the API, for people's tools and for generated clients.
enum DescriptionRoutes {
    /// The routes with one more, which describes them and itself.
    static func added(to routes: [RouteTable.Route]) -> [RouteTable.Route] {
        let document = OpenAPIDocument(routes: routes + [route { Response(status: .notImplemented) }]).document
        return routes + [route { try Answer.json(document) }]
    }

    private static func route(_ answer: @escaping @Sendable () throws -> Response) -> RouteTable.Route {
        RouteTable.Route(method: .get, path: "/openapi.json", role: .viewer) { _, _ in try answer() }
    }
}
