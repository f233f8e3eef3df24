extension S3Client {
    /// Stores an object in one request: at most 5 GiB. The server compares a digest of the body.
    ///
    /// A lost answer is tried again; with ``PutOptions/onlyIfAbsent`` the second try may find the first one's object and
    /// throw `PreconditionFailed`.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    @discardableResult
    public func putObject(
        _ object: S3Object, _ body: UploadBody, options: PutOptions = PutOptions()
    ) async throws -> PutResult {
        try await putObject(object, body, nil, options: options)
    }

    func putObject(
        _ object: S3Object, _ body: UploadBody, _ digests: ContentDigests?, options: PutOptions
    ) async throws -> PutResult {
        var request = S3Request("PutObject", "PUT", object)
        request.body = body
        request.bodyGuard = .digest
        request.headers = try options.headers(of: configuration.profile)
        if options.onlyIfAbsent { request.headers.append(("if-none-match", "*")) }
        request.successHeader = "etag"
        return PutResult(try await execute(request, digests))
    }

    /// What a server says of an object.
    ///
    /// - Throws: ``S3Error``; with status 404 (or 403, where the key may not list) for an object that is not there.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    public func headObject(_ object: S3Object, options: ReadOptions = ReadOptions()) async throws -> ObjectHead {
        var request = S3Request("HeadObject", "HEAD", object)
        request.successHeader = "etag"
        request.apply(options, configuration.profile)
        return try ObjectHead(try await execute(request), request)
    }

    /// Reads an object, or a stretch of it, into memory.
    ///
    /// - Parameter limit: in bytes; a longer body throws.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    public func getObject(
        _ object: S3Object, range: Range<Int64>? = nil, options: ReadOptions = ReadOptions(), limit: Int
    ) async throws -> (head: ObjectHead, body: [UInt8]) {
        var request = getRequest(object, range, options)
        request.limit = limit
        let answer = try await execute(request)
        let head = try ObjectHead(answer, request, range: range, received: Int64(answer.body.count))
        return (head, answer.body)
    }

    /// Reads an object, or a stretch of it, into a file. A try that fails is made again from the start of the stretch.
    ///
    /// - Throws: ``S3Error``; of kind `integrity` where the server sent less or other than was asked for.
    public func getObject(
        _ object: S3Object, range: Range<Int64>? = nil, options: ReadOptions = ReadOptions(), to sink: DownloadSink,
        throttled: (@Sendable () -> Void)? = nil
    ) async throws -> ObjectHead {
        var request = getRequest(object, range, options)
        request.throttled = throttled
        request.sink = sink
        request.limit = range.map { Int($0.upperBound - $0.lowerBound) } ?? Int.max
        let answer = try await execute(request)
        return try ObjectHead(answer, request, range: range, received: answer.streamed)
    }

    func getRequest(_ object: S3Object, _ range: Range<Int64>?, _ options: ReadOptions) -> S3Request {
        var request = S3Request("GetObject", "GET", object)
        request.successHeader = "etag"
        request.apply(options, configuration.profile)
        if let range { request.headers.append(("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")) }
        return request
    }

    /// Deletes an object; one that is not there is a success.
    ///
    /// On a bucket with versions, a delete without `versionID` hides the object and frees nothing.
    /// - Throws: ``S3Error``; `AccessDenied` for a version that is locked.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
    @discardableResult
    public func deleteObject(
        _ object: S3Object, versionID: String? = nil, bypassGovernance: Bool = false
    ) async throws -> DeleteResult {
        var request = S3Request("DeleteObject", "DELETE", object)
        if let versionID { request.query = [("versionId", versionID)] }
        if bypassGovernance { request.headers.append(("x-amz-bypass-governance-retention", "true")) }
        request.successIsEmpty = true
        let answer = try await execute(request)
        return DeleteResult(
            isDeleteMarker: answer.header("x-amz-delete-marker") == "true", versionID: answer.header("x-amz-version-id")
        )
    }

    /// Deletes any number of objects, 1,000 at a time. An object that is not there counts as deleted.
    ///
    /// - Returns: one outcome for each object, in order; those that failed were tried once more by themselves.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    public func deleteObjects(in bucket: String, _ objects: [ObjectVersion]) async throws -> [DeleteOutcome] {
        var outcomes: [DeleteOutcome] = []
        var rest = objects[...]
        while !rest.isEmpty {
            let page = rest.prefix(1_000)
            rest = rest.dropFirst(1_000)
            outcomes += try await deletePage(of: bucket, Array(page))
        }
        return outcomes
    }

    private func deletePage(of bucket: String, _ objects: [ObjectVersion]) async throws -> [DeleteOutcome] {
        var request = S3Request("DeleteObjects", "POST", bucket: bucket)
        request.query = [("delete", nil)]
        let inner = try objects.map { object in
            let version = try object.versionID.map { try XMLBody.element("VersionId", $0) } ?? ""
            return "<Object>\(try XMLBody.element("Key", object.key))\(version)</Object>"
        }
        request.body = .bytes(try XMLBody.document("Delete", "<Quiet>true</Quiet>" + inner.joined()))
        request.bodyGuard = .contentMD5
        request.successRoot = "DeleteResult"
        let tree = try XMLTree.parse(try await execute(request).body)
        var failed: Set<ObjectVersion> = []
        for error in tree.children("Error") {
            let key = error.child("Key")?.text ?? ""
            let version = error.child("VersionId")?.text
            failed.formUnion(objects.filter { $0.key == key && ((version ?? "").isEmpty || $0.versionID == version) })
        }
        var outcomes: [DeleteOutcome] = []
        for object in objects {
            guard failed.contains(object) else {
                outcomes.append(DeleteOutcome(object: object, error: nil))
                continue
            }
            do {
                try await deleteObject(S3Object(bucket, object.key), versionID: object.versionID)
                outcomes.append(DeleteOutcome(object: object, error: nil))
            } catch let error as S3Error {
                outcomes.append(DeleteOutcome(object: object, error: error))
            }
        }
        return outcomes
    }
}

extension S3Request {
    mutating func apply(_ options: ReadOptions, _ profile: ProviderProfile) {
        if let versionID = options.versionID { query.append(("versionId", versionID)) }
        if let key = options.customerKey { headers += key.headers() }
        if let etag = options.ifMatch { headers.append(("if-match", etag)) }
        if profile.checksum == .crc64nvme, operation == "HeadObject" {
            headers.append(("x-amz-checksum-mode", "ENABLED"))
        }
    }
}

extension PutOptions {
    /// For PutObject and CreateMultipartUpload.
    ///
    /// - Throws: ``S3Error`` of kind `configuration` where the provider is known to refuse what is asked for.
    func headers(of profile: ProviderProfile) throws -> [(String, String)] {
        func refuse(_ wish: String) -> S3Error {
            S3Error(.configuration, "\(profile.title) has no \(wish)")
        }
        var headers: [(String, String)] = []
        if let contentType { headers.append(("content-type", contentType)) }
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw S3Error(.configuration, "the metadata \(name) holds other characters than printable ASCII")
            }
            headers.append(("x-amz-meta-" + name.lowercased(), value))
        }
        if let storageClass {
            if let known = profile.storageClasses, !known.contains(storageClass) {
                throw refuse("storage class \(storageClass), but \(known.sorted().joined(separator: ", "))")
            }
            headers.append(("x-amz-storage-class", storageClass))
        }
        if let encryption {
            guard profile.encryptions.contains(encryption.kind) else {
                throw refuse("encryption \(encryption.kind.rawValue)")
            }
            headers += encryption.headers
        }
        if let lock {
            guard profile.objectLock else { throw refuse("object lock") }
            headers.append(("x-amz-object-lock-mode", lock.mode.rawValue))
            headers.append(("x-amz-object-lock-retain-until-date", HTTPDate.iso(lock.until)))
        }
        return headers
    }
}

extension ServerSideEncryption {
    var kind: ProviderProfile.Encryption {
        switch self {
        case .s3: .s3
        case .kms: .kms
        case .customerKey: .customerKey
        }
    }
}
