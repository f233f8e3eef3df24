internal import BackupCore
internal import BackupEngine
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// What can be told of a file without its bytes.
protocol DownloadFacts: Sendable {
    /// In bytes.
    var size: Int64 { get }
    var filename: String { get }
    var mediaType: String { get }
    /// Different for any other content; nil where none is known.
    var entityTag: String? { get }
}

/// An open file that never changes.
protocol DownloadableFile: DownloadFacts {
    var descriptor: Int32 { get }
}

extension ArchiveFacts: DownloadFacts {
    // Never as Content-Encoding: clients that decode it stop after the first member.
    var mediaType: String { "application/gzip" }
    var entityTag: String? { sha256 }
}

extension OpenedArchive: DownloadableFile {
    var mediaType: String { "application/gzip" }
    var entityTag: String? { sha256 }
}

extension OpenedExport: DownloadableFile {
    var mediaType: String { format.mediaType }
    var entityTag: String? { tag }
}

/// Sends a file, or a stretch of it, in slices, as fast as the client takes them.
struct FileDownload {
    /// Nil where only the open file tells.
    var facts: (any DownloadFacts)?
    /// Called only where bytes of it are to be sent, or where nothing is known of it.
    let open: () async throws -> any DownloadableFile
    private static let slice = 64 << 10

    func response(to request: Request) async throws -> Response {
        if let facts, let response = bodiless(facts, request) { return response }
        let file = try await open()
        if let response = bodiless(file, request) { return response }
        var headers = headers(file)
        guard case .part(let range) = wish(file, request) else {
            return respond(file, .ok, headers, ByteRange(start: 0, end: file.size))
        }
        headers[.contentRange] = "bytes \(range.start)-\(range.end - 1)/\(file.size)"
        return respond(file, .partialContent, headers, range)
    }

    private func headers(_ file: any DownloadFacts) -> HTTPFields {
        var headers = HTTPFields()
        headers[.contentType] = file.mediaType
        headers[.acceptRanges] = "bytes"
        headers[.contentDisposition] = "attachment; filename=\"\(file.filename.filter(Self.isPlain))\""
        headers[.cacheControl] = "private, no-transform"
        headers[.eTag] = Self.tag(file)
        return headers
    }

    private static func tag(_ file: any DownloadFacts) -> String? { file.entityTag.map { "\"\($0)\"" } }

    /// A range is for GET alone (RFC 9110, section 14.2).
    private func wish(_ file: any DownloadFacts, _ request: Request) -> ByteRange.Wish {
        // A stretch of another file than the one that the client has begun is of no use.
        if let known = request.headers[.ifRange], known != Self.tag(file) { return .whole }
        return ByteRange.wish(request.headers[.range], size: file.size)
    }

    /// What is answered without the file's bytes; nil where they are to be sent.
    private func bodiless(_ file: any DownloadFacts, _ request: Request) -> Response? {
        var headers = headers(file)
        if let tag = Self.tag(file), let known = request.headers[.ifNoneMatch], Self.names(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        if request.method == .head {
            headers[.contentLength] = "\(file.size)"
            return Response(status: .ok, headers: headers)
        }
        guard wish(file, request) == .unsatisfiable else { return nil }
        let refusal = Refusal(
            status: .rangeNotSatisfiable, code: BackupError.Code.usage.rawValue,
            message: "\(file.filename) has \(file.size) bytes: there is nothing at the range that was asked for",
            headers: [.contentRange: "bytes */\(file.size)"])
        return Answer.failure(refusal)
    }

    private func respond(
        _ file: any DownloadableFile, _ status: HTTPResponse.Status, _ headers: HTTPFields, _ range: ByteRange
    ) -> Response {
        let body = ResponseBody(contentLength: Int(range.end - range.start)) { writer in
            var position = range.start
            while position < range.end {
                let length = Int(min(Int64(Self.slice), range.end - position))
                let offset = position
                let buffer = try await NIOThreadPool.singleton.runIfActive {
                    try Self.read(file, offset, length)
                }
                position += Int64(buffer.readableBytes)
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
        return Response(status: status, headers: headers, body: body)
    }

    private static func read(_ file: any DownloadableFile, _ offset: Int64, _ length: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: length)
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { bytes in
            max(0, pread(file.descriptor, bytes.baseAddress, length, off_t(offset)))
        }
        guard count > 0 else {
            throw BackupError(.storage, "\(file.filename) ended, or failed, at byte \(offset) of \(file.size)")
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
