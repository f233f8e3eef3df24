/// How fast an object comes back from an archive class, and at what price.
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
public enum RestoreTier: String, Sendable, Equatable, CaseIterable {
    case expedited = "Expedited"
    case standard = "Standard"
    case bulk = "Bulk"
}

/// What became of a request to bring an object back.
public enum RestoreStart: Sendable, Equatable {
    case started
    case alreadyInProgress
    /// It is readable already; the time for which it stays so was set anew.
    case alreadyRestored
}

extension S3Client {
    /// Asks for an archived object to become readable for some days. It takes minutes to two days;
    /// ``ObjectHead/restore`` tells when.
    ///
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
    public func restoreObject(
        _ object: S3Object, versionID: String? = nil, days: Int, tier: RestoreTier = .standard
    ) async throws -> RestoreStart {
        var request = S3Request("RestoreObject", "POST", object)
        request.query = [("restore", nil)] + (versionID.map { [("versionId", $0)] } ?? [])
        request.body = .bytes(
            try XMLBody.document(
                "RestoreRequest",
                "<Days>\(days)</Days><GlacierJobParameters><Tier>\(tier.rawValue)</Tier></GlacierJobParameters>"))
        request.bodyGuard = .contentMD5
        do {
            return try await execute(request).status == 200 ? .alreadyRestored : .started
        } catch let error as S3Error where error.code == "RestoreAlreadyInProgress" {
            return .alreadyInProgress
        }
    }
}
