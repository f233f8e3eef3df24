/// What guards a body on its way: the signature over its SHA-256, or a digest that the server compares, or both.
extension S3Client {
    /// What the server compares a body with.
    private enum Enforced { case nothing, checksum(ServerChecksum), md5, signature }

    private func enforced(_ bodyGuard: S3Request.Guard) -> Enforced {
        switch bodyGuard {
        case .none: return .nothing
        case .contentMD5: return .md5
        case .digest: return configuration.profile.checksum.map { .checksum($0) } ?? .md5
        case .part(let isLocked):
            if let checksum = configuration.profile.checksum { return .checksum(checksum) }
            // An object with a lock needs a digest in a header of its own on every part.
            return configuration.profile.verifiesPayloadHash && !isLocked ? .signature : .md5
        }
    }

    /// Whether TLS and a digest guard the body, so that hashing it for the signature too would be work for nothing.
    private func sendsUnsigned(_ bodyGuard: S3Request.Guard) -> Bool {
        guard configuration.endpoint.scheme == .https, configuration.profile.unsignedPayload else { return false }
        switch enforced(bodyGuard) {
        case .checksum, .md5: return true
        case .nothing, .signature: return false
        }
    }

    func algorithms(for bodyGuard: S3Request.Guard) -> ContentHasher.Algorithms {
        var algorithms: ContentHasher.Algorithms = sendsUnsigned(bodyGuard) ? [] : .sha256
        switch enforced(bodyGuard) {
        case .nothing, .signature: break
        case .md5: algorithms.insert(.md5)
        case .checksum(.crc64nvme): algorithms.insert(.crc64nvme)
        case .checksum(.crc32c): algorithms.insert(.crc32c)
        }
        return algorithms
    }

    func payloadHash(of request: S3Request, _ digests: ContentDigests) -> String {
        if sendsUnsigned(request.bodyGuard) { return SigningRequest.unsignedPayload }
        return digests.sha256Hex ?? SigningRequest.emptyPayloadHash
    }

    func guardHeaders(of request: S3Request, _ digests: ContentDigests) -> [(String, String)] {
        let header: (String, String?)? =
            switch enforced(request.bodyGuard) {
            case .nothing, .signature: nil
            case .md5: ("content-md5", digests.md5Base64)
            case .checksum(.crc64nvme): ("x-amz-checksum-crc64nvme", digests.crc64nvmeBase64)
            case .checksum(.crc32c): ("x-amz-checksum-crc32c", digests.crc32cBase64)
            }
        guard let header, let value = header.1 else { return [] }
        return [(header.0, value)]
    }

    /// All digests that sending a body needs.
    func digests(of body: UploadBody, for bodyGuard: S3Request.Guard) async throws -> ContentDigests {
        try await BodyDigests.compute(body, algorithms(for: bodyGuard))
    }

    /// The one digest that a server's listing of parts can be compared with.
    func listedDigests(of body: UploadBody) async throws -> ContentDigests {
        try await BodyDigests.compute(body, configuration.profile.checksum == .crc64nvme ? .crc64nvme : .md5)
    }
}
