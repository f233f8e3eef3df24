internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Counts the body of every request, whether or not anybody wants it: it is there, within its limit, before a route sees
/// the request. Only a file that is imported is left to its route, which counts it as it comes.
struct BodyLimit: RouterMiddleware {
    let routes: RouteTable
    /// In bytes.
    let largestImport: Int64

    func handle(
        _ request: Request, context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let route = routes.route(of: request)
        let body = route.flatMap { Operations.of($0)?.body }
        let length = request.headers[.contentLength].flatMap { Int64($0) }
        if body?.mediaType == ImportForm.mediaType {
            guard length ?? 0 <= largestImport + ImportForm.room else { throw Refusal.tooLarge(largestImport) }
            return try await next(request, context)
        }
        guard length ?? 0 <= RequestFields.longestBody else { throw Refusal.tooLarge }
        // Where no route answers, nothing of the body is read.
        guard route != nil, length ?? 0 > 0 || request.headers[.transferEncoding] != nil else {
            return try await next(request, context)
        }
        var request = request
        request.body = RequestBody(buffer: try await BodyLimit.read(request.body, keepsIt: body != nil))
        return try await next(request, context)
    }

    private static func read(_ body: RequestBody, keepsIt: Bool) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        var count = 0
        for try await var part in body {
            count += part.readableBytes
            guard count <= RequestFields.longestBody else { throw Refusal.tooLarge }
            if keepsIt { whole.writeBuffer(&part) }
        }
        return whole
    }
}

extension RouteTable {
    /// The route that answers a request; nil where none does.
    fileprivate func route(of request: Request) -> Route? {
        guard let path = template(for: request.uri.path) else { return nil }
        return routes.first { $0.method == request.method && $0.path == path }
    }
}
