internal import BackupCore

/// What a client says of a job's store, in the fields that Elder's clients know.
enum JobStoreBody {
    static let known: Set<String> = [
        "s3_enabled", "s3_endpoint", "s3_bucket", "s3_region", "s3_access_key", "s3_secret_key", "s3_prefix",
    ]

    /// Null, and an empty text, mean as configured; a secret's mask leaves it as it is.
    static func change(_ fields: inout RequestFields) -> JobStoreChange {
        var change = JobStoreChange()
        if fields.has("s3_enabled") {
            change.choice = fields.flag("s3_enabled").map { $0 ? .on : .off } ?? .configured
        }
        change.endpoint = JobBody.cleared("s3_endpoint", &fields)
        change.bucket = JobBody.cleared("s3_bucket", &fields)
        change.region = JobBody.cleared("s3_region", &fields)
        change.accessKey = JobBody.cleared("s3_access_key", &fields)
        change.prefix = JobBody.cleared("s3_prefix", &fields)
        change.secretKey = JobBody.cleared("s3_secret_key", &fields).map { Secret($0) }
        return change
    }
}
