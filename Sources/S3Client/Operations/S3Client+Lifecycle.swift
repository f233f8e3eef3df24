/// What happens to a bucket's objects by themselves, by age in days.
public struct LifecycleRule: Sendable, Equatable {
    /// A name of up to 255 characters, one of its own within the bucket.
    public var id: String
    /// Of the keys that it is about; empty: all.
    public var prefix: String
    /// Whether the server follows it.
    public var isEnabled: Bool
    /// Objects are deleted after so many days.
    public var expirationDays: Int?
    /// Versions that are no longer the current one are deleted after so many days.
    public var noncurrentExpirationDays: Int?
    /// Uploads that were never completed are aborted after so many days.
    public var abortIncompleteUploadDays: Int?
    /// Objects move to ``transitionClass`` after so many days.
    public var transitionDays: Int?
    /// The storage class of the transition.
    public var transitionClass: String?

    /// A rule that does nothing yet.
    public init(id: String, prefix: String, isEnabled: Bool = true) {
        self.id = id
        self.prefix = prefix
        self.isEnabled = isEnabled
    }
}

extension S3Client {
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
    public func lifecycle(of bucket: String) async throws -> [LifecycleRule] {
        let body = try await read(
            "GetBucketLifecycleConfiguration", "lifecycle", of: bucket, missing: ["NoSuchLifecycleConfiguration"])
        guard let body else { return [] }
        return try XMLTree.parse(body).children("Rule").map(LifecycleRule.init)
    }

    /// Replaces all rules; 1,000 at most.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
    public func setLifecycle(of bucket: String, _ rules: [LifecycleRule]) async throws {
        try await write(
            "PutBucketLifecycleConfiguration", "lifecycle", of: bucket,
            try XMLBody.document("LifecycleConfiguration", try rules.map { try $0.xml() }.joined()))
    }

    /// Removes all rules.
    public func deleteLifecycle(of bucket: String) async throws {
        try await remove("DeleteBucketLifecycle", "lifecycle", of: bucket)
    }
}

extension LifecycleRule {
    package init(_ tree: XMLTree) {
        func number(_ path: String...) -> Int? {
            path.reduce(Optional(tree)) { $0?.child($1) }.flatMap { Int($0.text) }
        }
        let filter = tree.child("Filter")
        self.init(
            id: tree.child("ID")?.text ?? "",
            prefix: tree.child("Prefix")?.text ?? filter?.child("Prefix")?.text
                ?? filter?.child("And")?.child("Prefix")?.text ?? "",
            isEnabled: tree.child("Status")?.text == "Enabled")
        expirationDays = number("Expiration", "Days")
        noncurrentExpirationDays = number("NoncurrentVersionExpiration", "NoncurrentDays")
        abortIncompleteUploadDays = number("AbortIncompleteMultipartUpload", "DaysAfterInitiation")
        transitionDays = number("Transition", "Days")
        transitionClass = tree.child("Transition")?.child("StorageClass")?.text
    }

    package func xml() throws -> String {
        var text = try XMLBody.element("ID", id)
        text += "<Filter>\(try XMLBody.element("Prefix", prefix))</Filter>"
        text += "<Status>\(isEnabled ? "Enabled" : "Disabled")</Status>"
        if let transitionDays, let transitionClass {
            text += "<Transition><Days>\(transitionDays)</Days>"
            text += "\(try XMLBody.element("StorageClass", transitionClass))</Transition>"
        }
        if let expirationDays { text += "<Expiration><Days>\(expirationDays)</Days></Expiration>" }
        if let days = noncurrentExpirationDays {
            text +=
                "<NoncurrentVersionExpiration><NoncurrentDays>\(days)</NoncurrentDays></NoncurrentVersionExpiration>"
        }
        if let days = abortIncompleteUploadDays {
            text += "<AbortIncompleteMultipartUpload><DaysAfterInitiation>\(days)</DaysAfterInitiation>"
            text += "</AbortIncompleteMultipartUpload>"
        }
        return "<Rule>\(text)</Rule>"
    }
}
