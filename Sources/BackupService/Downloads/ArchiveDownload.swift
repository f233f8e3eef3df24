internal import BackupCore
internal import BackupEngine
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// Sends an archive, or a stretch of it, in slices, as fast as the client takes them.
struct ArchiveDownload {
    let archive: OpenedArchive
    private static let slice = 64 << 10

    func response(to request: Request) -> Response {
        var headers = HTTPFields()
        // Never as Content-Encoding: clients that decode it stop after the first member.
        headers[.contentType] = "application/gzip"
        headers[.acceptRanges] = "bytes"
        headers[.contentDisposition] = "attachment; filename=\"\(archive.filename.filter(Self.isPlain))\""
        headers[.cacheControl] = "private, no-transform"
        let tag = archive.sha256.map { "\"\($0)\"" }
        headers[.eTag] = tag
        if let tag, let known = request.headers[.ifNoneMatch], Self.names(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        var wish = ByteRange.wish(request.headers[.range], size: archive.size)
        // A stretch of another file than the one that the client has begun is of no use.
        if let known = request.headers[.ifRange], known != tag { wish = .whole }
        switch wish {
        case .whole:
            return respond(.ok, headers, ByteRange(start: 0, end: archive.size), request)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.start)-\(range.end - 1)/\(archive.size)"
            return respond(.partialContent, headers, range, request)
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(archive.size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
    }

    private func respond(
        _ status: HTTPResponse.Status, _ headers: HTTPFields, _ range: ByteRange, _ request: Request
    ) -> Response {
        var headers = headers
        headers[.contentLength] = "\(range.end - range.start)"
        if request.method == .head { return Response(status: status, headers: headers) }
        let archive = archive
        let body = ResponseBody(contentLength: Int(range.end - range.start)) { writer in
            var position = range.start
            while position < range.end {
                let length = Int(min(Int64(Self.slice), range.end - position))
                let offset = position
                let buffer = try await NIOThreadPool.singleton.runIfActive {
                    try Self.read(archive, offset, length)
                }
                position += Int64(buffer.readableBytes)
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
        return Response(status: status, headers: headers, body: body)
    }

    private static func read(_ archive: OpenedArchive, _ offset: Int64, _ length: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: length)
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { bytes in
            max(0, pread(archive.descriptor, bytes.baseAddress, length, off_t(offset)))
        }
        guard count > 0 else {
            throw BackupError(.storage, "\(archive.filename) ended, or failed, at byte \(offset) of \(archive.size)")
        }
        return buffer
    }

    private static func names(_ list: String, _ tag: String) -> Bool {
        list.split(separator: ",").contains { part in
            let name = part.drop { $0 == " " }
            return name == "*" || name == tag || name == "W/" + tag
        }
    }

    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
    }
}
