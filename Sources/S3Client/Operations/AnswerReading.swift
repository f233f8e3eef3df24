extension PutResult {
    init(_ answer: HTTPAnswer) {
        etag = answer.header("etag") ?? ""
        versionID = answer.header("x-amz-version-id").flatMap { $0 == "null" ? nil : $0 }
        crc64nvme = answer.header("x-amz-checksum-crc64nvme")
    }
}

extension ObjectHead {
    /// Reads the headers of HEAD or GET.
    ///
    /// - Parameters:
    ///   - range: what was asked for; nil for all.
    ///   - received: of the body, in bytes; nil for HEAD.
    /// - Throws: ``S3Error`` of kind `integrity` where the body is not what was asked for.
    init(
        _ answer: HTTPAnswer, _ request: S3Request, range: Range<Int64>? = nil, received: Int64? = nil
    ) throws {
        func fail(_ message: String) -> S3Error {
            S3Error(
                .integrity, message, operation: request.operation, bucket: request.bucket, key: request.key,
                status: answer.status, requestID: answer.header("x-amz-request-id"))
        }
        guard let length = answer.header("content-length").flatMap({ Int64($0) }) ?? received else {
            throw fail("the answer does not say how long the object is")
        }
        if let received, received != length { throw fail("\(received) of \(length) bytes arrived") }
        var whole = length
        if let range {
            if let stated = answer.header("content-range").flatMap(ContentRange.parse) {
                guard stated.range.lowerBound == range.lowerBound, stated.range.upperBound <= range.upperBound,
                    Int64(stated.range.count) == length
                else { throw fail("bytes \(range) were asked for, and the server sent \(stated.range)") }
                whole = stated.whole
            } else if answer.status != 200 || range.lowerBound != 0 || length > range.upperBound {
                // Who asks for all there is may be answered as if no stretch were named.
                throw fail("a stretch was asked for, and the server sent something else")
            }
        }
        self.init(size: whole, answer)
    }

    private init(size: Int64, _ answer: HTTPAnswer) {
        self.size = size
        etag = answer.header("etag") ?? ""
        versionID = answer.header("x-amz-version-id").flatMap { $0 == "null" ? nil : $0 }
        let label = "x-amz-meta-"
        metadata = Dictionary(
            answer.headers.filter { $0.name.hasPrefix(label) }.map {
                (String($0.name.dropFirst(label.count)), $0.value)
            },
            uniquingKeysWith: { first, _ in first })
        contentType = answer.header("content-type")
        storageClass = answer.header("x-amz-storage-class")
        lastModified = answer.header("last-modified").flatMap(HTTPDate.parse)
        restore = answer.header("x-amz-restore").flatMap(RestoreState.init(header:))
        if let mode = answer.header("x-amz-object-lock-mode").flatMap(ObjectRetention.Mode.init(rawValue:)),
            let until = answer.header("x-amz-object-lock-retain-until-date").flatMap(HTTPDate.parse)
        {
            retention = ObjectRetention(mode: mode, until: until)
        }
        encryption =
            answer.header("x-amz-server-side-encryption")
            ?? answer.header("x-amz-server-side-encryption-customer-algorithm").map { _ in "sse-c" }
        crc64nvme = answer.header("x-amz-checksum-crc64nvme")
    }
}

extension String {
    /// As in the header `ETag`: Ceph leaves the quotes out of some XML.
    var quotedTag: String { isEmpty || hasSuffix("\"") ? self : "\"\(self)\"" }
}

extension RestoreState {
    /// `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`
    package init?(header: String) {
        if header.contains("ongoing-request=\"true\"") {
            self = .inProgress
        } else if header.contains("ongoing-request=\"false\"") {
            let date = header.split(separator: "\"").last { $0.contains(",") && $0.contains(":") }
            self = .restored(until: date.flatMap { HTTPDate.parse(String($0)) })
        } else {
            return nil
        }
    }
}

/// `bytes 0-9/100` (RFC 9110, 14.4).
package enum ContentRange {
    package static func parse(_ text: String) -> (range: Range<Int64>, whole: Int64)? {
        guard text.hasPrefix("bytes ") else { return nil }
        let numbers = text.dropFirst(6).split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "/" }
        guard numbers.count == 3, let first = Int64(numbers[0]), let last = Int64(numbers[1]),
            let whole = Int64(numbers[2]), first <= last, last < whole
        else { return nil }
        return (first..<(last + 1), whole)
    }
}
