extension S3Client {
    /// Begins an upload in parts; the object's metadata, class, encryption and lock are given here.
    ///
    /// - Returns: the upload's id.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
    public func createMultipartUpload(_ object: S3Object, options: PutOptions = PutOptions()) async throws -> String {
        var request = S3Request("CreateMultipartUpload", "POST", object)
        request.query = [("uploads", nil)]
        request.headers = try options.headers(of: configuration.profile)
        if let checksum = configuration.profile.checksum {
            request.headers.append(("x-amz-checksum-algorithm", checksum.rawValue))
            if checksum == .crc64nvme { request.headers.append(("x-amz-checksum-type", "FULL_OBJECT")) }
        }
        request.successRoot = "InitiateMultipartUpload"
        let id = try XMLTree.parse(try await execute(request).body).child("UploadId")?.text ?? ""
        guard !id.isEmpty else {
            throw S3Error(
                .malformedAnswer, "the server gave no upload id", operation: request.operation, bucket: object.bucket,
                key: object.key)
        }
        return id
    }

    /// Sends one part: 5 MiB to 5 GiB, the last of any size. Sending a number again replaces it.
    ///
    /// - Parameters:
    ///   - number: from 1 to ``ProviderProfile/maximumParts``.
    ///   - options: those that the upload was begun with.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
    public func uploadPart(
        _ object: S3Object, uploadID: String, number: Int, _ body: UploadBody, options: PutOptions = PutOptions()
    ) async throws -> UploadedPart {
        try await uploadPart(object, uploadID: uploadID, number: number, body, nil, options, throttled: nil)
    }

    func uploadPart(
        _ object: S3Object, uploadID: String, number: Int, _ body: UploadBody, _ digests: ContentDigests?,
        _ options: PutOptions, throttled: (@Sendable () -> Void)?
    ) async throws -> UploadedPart {
        var request = S3Request("UploadPart", "PUT", object)
        request.query = [("partNumber", String(number)), ("uploadId", uploadID)]
        request.body = body
        request.bodyGuard = .part(isLocked: options.lock != nil)
        request.throttled = throttled
        if let key = options.encryption?.customerKey { request.headers += key.headers() }
        request.successHeader = "etag"
        let answer = try await execute(request, digests)
        return UploadedPart(
            number: number, etag: answer.header("etag") ?? "", size: body.length,
            crc64nvme: answer.header("x-amz-checksum-crc64nvme"))
    }

    /// Makes a part of a stretch of another object on the same store.
    ///
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
    public func uploadPartCopy(
        _ object: S3Object, uploadID: String, number: Int, from source: S3Object, range: Range<Int64>,
        options: CopyOptions = CopyOptions()
    ) async throws -> UploadedPart {
        var request = S3Request("UploadPartCopy", "PUT", object)
        request.query = [("partNumber", String(number)), ("uploadId", uploadID)]
        request.headers = options.sourceHeaders(source)
        request.headers.append(("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        if let key = options.put.encryption?.customerKey { request.headers += key.headers() }
        request.patience = .long
        request.successRoot = "CopyPartResult"
        let tree = try XMLTree.parse(try await execute(request).body)
        guard let etag = tree.child("ETag")?.text, !etag.isEmpty else {
            throw S3Error(.malformedAnswer, "the server gave no ETag for part \(number)", operation: request.operation)
        }
        return UploadedPart(number: number, etag: etag, size: range.upperBound - range.lowerBound)
    }

    /// Every part that the server has of an upload, in order.
    ///
    /// - Throws: ``S3Error`` with the code `NoSuchUpload` where it was completed or aborted.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
    public func listParts(_ object: S3Object, uploadID: String) async throws -> [UploadedPart] {
        var parts: [UploadedPart] = []
        var marker: String?
        repeat {
            var request = S3Request("ListParts", "GET", object)
            request.query = [("max-parts", "1000"), ("uploadId", uploadID)]
            if let marker { request.query.append(("part-number-marker", marker)) }
            request.successRoot = "ListParts"
            let tree = try XMLTree.parse(try await execute(request).body)
            for part in tree.children("Part") {
                guard let number = part.child("PartNumber").flatMap({ Int($0.text) }) else { continue }
                parts.append(
                    UploadedPart(
                        number: number, etag: part.child("ETag")?.text ?? "",
                        size: part.child("Size").flatMap { Int64($0.text) },
                        crc64nvme: part.child("ChecksumCRC64NVME")?.text))
            }
            let next = tree.child("IsTruncated")?.text == "true" ? tree.child("NextPartNumberMarker")?.text : nil
            marker = next == marker ? nil : next
        } while marker != nil
        return parts
    }

    /// Forgets an upload and its parts; one that is gone already is a success.
    ///
    /// A part that was on its way may land afterwards: abort again until ``listParts(_:uploadID:)`` finds nothing.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
    public func abortMultipartUpload(_ object: S3Object, uploadID: String) async throws {
        var request = S3Request("AbortMultipartUpload", "DELETE", object)
        request.query = [("uploadId", uploadID)]
        do {
            _ = try await execute(request)
        } catch let error as S3Error where error.code == "NoSuchUpload" || error.status == 404 {
            return
        }
    }

    /// Every upload under a prefix that was begun and not ended.
    ///
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    public func listMultipartUploads(in bucket: String, prefix: String = "") async throws -> [PendingUpload] {
        var uploads: [PendingUpload] = []
        var keyMarker: String?
        var idMarker: String?
        var asksForEncoding = true
        while true {
            var request = S3Request("ListMultipartUploads", "GET", bucket: bucket)
            request.query = [("max-uploads", "1000"), ("uploads", nil)]
            if asksForEncoding { request.query.append(("encoding-type", "url")) }
            if !prefix.isEmpty { request.query.append(("prefix", prefix)) }
            if let keyMarker { request.query.append(("key-marker", keyMarker)) }
            if let idMarker { request.query.append(("upload-id-marker", idMarker)) }
            request.successRoot = "ListMultipartUploadsResult"
            let tree = try XMLTree.parse(try await execute(request).body)
            let decodes = tree.child("EncodingType")?.text == "url"
            // Ceph encodes and does not say so, others do neither: where it matters, plain keys are asked for.
            if asksForEncoding, !decodes,
                tree.children("Upload").contains(where: { $0.child("Key")?.text.contains { "%+".contains($0) } == true }
                )
            {
                asksForEncoding = false
                continue
            }
            for upload in tree.children("Upload") {
                uploads.append(
                    PendingUpload(
                        key: ListedText.text(upload.child("Key"), decodes) ?? "",
                        uploadID: upload.child("UploadId")?.text ?? "",
                        initiated: upload.child("Initiated").flatMap { HTTPDate.parse($0.text) }))
            }
            let nextKey = ListedText.text(tree.child("NextKeyMarker"), decodes)
            let nextID = tree.child("NextUploadIdMarker")?.text
            guard tree.child("IsTruncated")?.text == "true", nextKey != keyMarker || nextID != idMarker else {
                return uploads
            }
            keyMarker = nextKey
            idMarker = nextID
        }
    }
}
