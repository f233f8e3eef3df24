internal import HTTPTypes
internal import Hummingbird

/// HEAD wherever GET is (RFC 9110, section 9.1), for the same roles, but at streams of events: they have neither a length
/// nor anything else to tell before they begin. That no body is sent is seen to for all answers at once.
enum HeadRoutes {
    static func added(to routes: [RouteTable.Route]) -> [RouteTable.Route] {
        routes.flatMap { route in
            guard route.method == .get, !Operations.isStream(route) else { return [route] }
            var head = route
            head.method = .head
            return [route, head]
        }
    }
}
