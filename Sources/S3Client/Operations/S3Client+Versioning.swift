/// Whether a bucket keeps the versions of its objects.
public enum VersioningStatus: String, Sendable, Equatable {
    case off
    case enabled
    case suspended
}

extension S3Client {
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
    public func versioning(of bucket: String) async throws -> VersioningStatus {
        let body = try await read("GetBucketVersioning", "versioning", of: bucket, missing: []) ?? []
        switch try XMLTree.parse(body).child("Status")?.text {
        case "Enabled": return .enabled
        case "Suspended": return .suspended
        default: return .off
        }
    }

    /// Turns versions on, or suspends them; they cannot be turned off again.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
    public func setVersioning(of bucket: String, enabled: Bool) async throws {
        try await write(
            "PutBucketVersioning", "versioning", of: bucket,
            try XMLBody.document(
                "VersioningConfiguration", "<Status>\(enabled ? "Enabled" : "Suspended")</Status>"))
    }
}
