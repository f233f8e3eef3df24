extension S3Client {
    /// The name of the metadata that ``completeMultipartUpload(_:uploadID:parts:expecting:)`` knows an upload by.
    public static let uploadToken = "upload-token"

    /// What tells an object that an upload has made from any other under its key.
    public struct ExpectedObject: Sendable, Equatable {
        /// Given to CreateMultipartUpload as the metadata ``S3Client/uploadToken``, made at random for it.
        public var token: String
        /// In bytes.
        public var size: Int64
        /// For HEAD on an object that is encrypted with it.
        public var customerKey: CustomerKey?
        /// The full object's CRC64NVME in base64, for the servers that compare it.
        public var crc64nvme: String?
        /// Refuse where the key is taken, on servers that can.
        public var onlyIfAbsent: Bool

        /// What the upload is known by.
        public init(
            token: String, size: Int64, customerKey: CustomerKey? = nil, crc64nvme: String? = nil,
            onlyIfAbsent: Bool = false
        ) {
            self.token = token
            self.size = size
            self.customerKey = customerKey
            self.crc64nvme = crc64nvme
            self.onlyIfAbsent = onlyIfAbsent
        }
    }

    /// Makes an object of an upload's parts.
    ///
    /// Where the answer is lost, the object tells: if it carries the upload's token and has its size, the first try did
    /// it. Servers differ in what they say to a second one.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    public func completeMultipartUpload(
        _ object: S3Object, uploadID: String, parts: [UploadedPart], expecting expected: ExpectedObject
    ) async throws -> PutResult {
        let request = try completion(object, uploadID: uploadID, parts: parts, expected)
        var tries = 1
        while true {
            do {
                return try await answer(to: request, object, expected)
            } catch let error as S3Error {
                if error.kind == .transport || error.kind == .malformedAnswer || error.code == "NoSuchUpload"
                    || error.code == "PreconditionFailed"
                {
                    if let found = try await find(object, expected) { return found }
                }
                guard error.kind == .transport || error.kind == .malformedAnswer,
                    tries < configuration.retry.attempts
                else { throw error }
                try await Task.sleep(
                    for: configuration.retry.pause(
                        afterAttempt: tries, throttled: false, serverAsks: nil, random: Double.random(in: 0..<1)))
                tries += 1
            }
        }
    }

    private func completion(
        _ object: S3Object, uploadID: String, parts: [UploadedPart], _ expected: ExpectedObject
    ) throws -> S3Request {
        var request = S3Request("CompleteMultipartUpload", "POST", object)
        request.query = [("uploadId", uploadID)]
        let inner = try parts.sorted { $0.number < $1.number }.map { part in
            let checksum = try part.crc64nvme.map { try XMLBody.element("ChecksumCRC64NVME", $0) } ?? ""
            return
                "<Part><PartNumber>\(part.number)</PartNumber>\(try XMLBody.element("ETag", part.etag))\(checksum)</Part>"
        }
        request.body = .bytes(try XMLBody.document("CompleteMultipartUpload", inner.joined()))
        request.patience = .long
        request.successRoot = "CompleteMultipartUploadResult"
        request.repeatsAfterLostAnswer = false
        if let key = expected.customerKey { request.headers += key.headers() }
        if configuration.profile.checksum == .crc64nvme, let crc = expected.crc64nvme {
            request.headers.append(("x-amz-checksum-crc64nvme", crc))
            request.headers.append(("x-amz-checksum-type", "FULL_OBJECT"))
        }
        if expected.onlyIfAbsent, configuration.profile.conditionalComplete {
            request.headers.append(("if-none-match", "*"))
        }
        return request
    }

    private func answer(
        to request: S3Request, _ object: S3Object, _ expected: ExpectedObject
    ) async throws -> PutResult {
        let answer = try await execute(request)
        let tree = try XMLTree.parse(answer.body)
        var result = PutResult(answer)
        result.etag = (tree.child("ETag")?.text ?? "").quotedTag
        result.crc64nvme = tree.child("ChecksumCRC64NVME")?.text ?? result.crc64nvme
        // Ceph's first answer may come without: HEAD has it.
        if result.etag.isEmpty, let found = try await find(object, expected) {
            result.etag = found.etag
            result.versionID = result.versionID ?? found.versionID
        }
        return result
    }

    private func find(_ object: S3Object, _ expected: ExpectedObject) async throws -> PutResult? {
        do {
            let head = try await headObject(object, options: ReadOptions(customerKey: expected.customerKey))
            guard head.metadata[S3Client.uploadToken] == expected.token, head.size == expected.size else { return nil }
            return PutResult(etag: head.etag, versionID: head.versionID, crc64nvme: head.crc64nvme)
        } catch let error as S3Error where error.kind == .service {
            return nil
        }
    }
}
