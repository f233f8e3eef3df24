/// How a bucket encrypts what comes without a wish of its own.
public enum BucketEncryption: Sendable, Equatable {
    case s3
    case kms(keyID: String?)
}

extension S3Client {
    /// Nil where the bucket has no default encryption.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
    public func encryption(of bucket: String) async throws -> BucketEncryption? {
        let body = try await read(
            "GetBucketEncryption", "encryption", of: bucket, missing: ["ServerSideEncryptionConfigurationNotFoundError"]
        )
        guard let body else { return nil }
        let rule = try XMLTree.parse(body).child("Rule")?.child("ApplyServerSideEncryptionByDefault")
        switch rule?.child("SSEAlgorithm")?.text {
        case "AES256": return .s3
        case "aws:kms": return .kms(keyID: rule?.child("KMSMasterKeyID")?.text)
        default: return nil
        }
    }

    /// Sets what is encrypted without a wish of its own.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
    public func setEncryption(of bucket: String, _ encryption: BucketEncryption) async throws {
        var inner = "<SSEAlgorithm>AES256</SSEAlgorithm>"
        if case .kms(let keyID) = encryption {
            inner = "<SSEAlgorithm>aws:kms</SSEAlgorithm>"
            if let keyID { inner += try XMLBody.element("KMSMasterKeyID", keyID) }
        }
        try await write(
            "PutBucketEncryption", "encryption", of: bucket,
            try XMLBody.document(
                "ServerSideEncryptionConfiguration",
                "<Rule><ApplyServerSideEncryptionByDefault>\(inner)</ApplyServerSideEncryptionByDefault></Rule>"))
    }

    /// Removes the bucket's default encryption.
    public func deleteEncryption(of bucket: String) async throws {
        try await remove("DeleteBucketEncryption", "encryption", of: bucket)
    }
}
