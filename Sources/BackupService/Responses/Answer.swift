internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// How answers are written.
enum Answer {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var headers = HTTPFields()
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = "no-store"
        let data = try encoder.encode(value)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    private struct Failure: Encodable {
        var error: String
        var code: String
        /// Nil where no single field is at fault.
        var fields: [String: String]?
    }

    static func failure(_ refusal: Refusal) -> Response {
        let body = Failure(
            error: refusal.message, code: refusal.code, fields: refusal.fields.isEmpty ? nil : refusal.fields)
        var response = (try? json(body, status: refusal.status)) ?? Response(status: refusal.status)
        response.headers.append(contentsOf: refusal.headers)
        if refusal.closes { response.headers[.connection] = "close" }
        return response
    }
}
