internal import BackupCore
internal import Hummingbird

/// The description of the API, for people's tools and for generated clients.
enum DescriptionRoutes {
    /// The routes with one more, which describes them and itself, each GET with its HEAD.
    static func added(to routes: [RouteTable.Route]) -> [RouteTable.Route] {
        func all(_ answer: @escaping @Sendable () throws -> Response) -> [RouteTable.Route] {
            HeadRoutes.added(to: routes + [route(answer)])
        }
        let document = OpenAPIDocument(routes: all { Response(status: .notImplemented) }).document
        return all { try Answer.json(document) }
    }

    private static func route(_ answer: @escaping @Sendable () throws -> Response) -> RouteTable.Route {
        RouteTable.Route(method: .get, path: "/openapi.json", role: .viewer) { _, _ in try answer() }
    }
}
