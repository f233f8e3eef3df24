internal import BackupCore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Metrics, as Prometheus scrapes them.
struct MetricsRoutes {
    let collector: MetricsCollector
    let runs: RunSupervisor
    let isPublic: Bool

    var all: [RouteTable.Route] {
        [
            RouteTable.Route(method: .get, path: "/metrics", role: isPublic ? nil : .viewer) { _, _ in
                let text = await collector.text(tasks: await runs.counts)
                var headers = HTTPFields()
                headers[.contentType] = PrometheusText.mediaType
                headers[.cacheControl] = "no-store"
                return Response(
                    status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
            }
        ]
    }
}
