/// What guards a body on its way: the signature over its SHA-256, and a digest that the server compares.
extension S3Client {
    /// All digests that sending a body as an object or a part needs.
    func digests(of body: UploadBody) async throws -> ContentDigests {
        try await BodyDigests.compute(body, algorithms(for: .digest))
    }

    /// The one digest that the server compares, or that its ETag is made of.
    func guardDigests(of body: UploadBody) async throws -> ContentDigests {
        try await BodyDigests.compute(body, guardAlgorithm)
    }

    private var guardAlgorithm: ContentHasher.Algorithms {
        switch configuration.profile.checksum {
        case .crc64nvme: .crc64nvme
        case .crc32c: .crc32c
        case nil: .md5
        }
    }

    func algorithms(for bodyGuard: S3Request.Guard) -> ContentHasher.Algorithms {
        var algorithms: ContentHasher.Algorithms = []
        switch bodyGuard {
        case .none: break
        case .contentMD5: algorithms.insert(.md5)
        case .digest: algorithms.insert(guardAlgorithm)
        }
        if !sendsUnsigned(bodyGuard) { algorithms.insert(.sha256) }
        return algorithms
    }

    /// Whether TLS and a digest guard the body, so that hashing it for the signature too would be work for nothing.
    private func sendsUnsigned(_ bodyGuard: S3Request.Guard) -> Bool {
        guard case .digest = bodyGuard else { return false }
        return configuration.endpoint.scheme == .https && configuration.profile.unsignedPayload
    }

    func payloadHash(of request: S3Request, _ digests: ContentDigests) -> String {
        if sendsUnsigned(request.bodyGuard) { return SigningRequest.unsignedPayload }
        return digests.sha256Hex ?? SigningRequest.emptyPayloadHash
    }

    func guardHeaders(of request: S3Request, _ digests: ContentDigests) -> [(String, String)] {
        switch request.bodyGuard {
        case .none: []
        case .contentMD5: [("content-md5", digests.md5Base64)].withoutNil
        case .digest:
            switch configuration.profile.checksum {
            case .crc64nvme: [("x-amz-checksum-crc64nvme", digests.crc64nvmeBase64)].withoutNil
            case .crc32c: [("x-amz-checksum-crc32c", digests.crc32cBase64)].withoutNil
            case nil: [("content-md5", digests.md5Base64)].withoutNil
            }
        }
    }
}

extension [(String, String?)] {
    fileprivate var withoutNil: [(String, String)] {
        compactMap { header in header.1.map { (header.0, $0) } }
    }
}
