/// What a job says of the store that its backups are copied to. What is nil is as configured for all jobs.
package struct JobStore: Sendable, Equatable {
    /// Whether its new backups are copied.
    package var isEnabled: Bool?
    /// As `https://host:port`, or `aws`.
    package var endpoint: String?
    package var bucket: String?
    package var region: String?
    package var accessKey: String?
    /// In front of each file name.
    package var prefix: String?
    /// Whether the catalog keeps a secret key for it, which never leaves the catalog with the job.
    package var hasSecretKey = false

    package init() {}

    /// What stands for a secret wherever a job is shown.
    package static let mask = Secret("").description

    /// Whether its backups lie elsewhere than those of other jobs.
    package var hasOwnPlace: Bool { endpoint != nil || bucket != nil || region != nil || prefix != nil }

    /// Whether it says anything but whether backups are copied.
    package var hasOwnSettings: Bool { hasOwnPlace || accessKey != nil || hasSecretKey }
}

/// What a user says of a job's store; nil leaves a field as it is.
package struct JobStoreChange: Sendable, Equatable {
    package enum Choice: String, Sendable, CaseIterable { case on, off, configured }

    package var choice: Choice?
    /// Here and below: empty for as configured.
    package var endpoint: String?
    package var bucket: String?
    package var region: String?
    package var accessKey: String?
    package var prefix: String?
    /// ``JobStore/mask`` leaves it as it is.
    package var secretKey: Secret?

    package init() {}
}

extension JobStore {
    /// Changes what a user says, as the catalog will.
    package mutating func apply(_ change: JobStoreChange) {
        switch change.choice {
        case .on: isEnabled = true
        case .off: isEnabled = false
        case .configured: isEnabled = nil
        case nil: break
        }
        func changed(_ old: String?, _ new: String?) -> String? {
            guard let new else { return old }
            return new.isEmpty ? nil : new
        }
        endpoint = changed(endpoint, change.endpoint)
        bucket = changed(bucket, change.bucket)
        region = changed(region, change.region)
        accessKey = changed(accessKey, change.accessKey)
        prefix = changed(prefix, change.prefix)
        if let secret = change.secretKey?.revealed, secret != JobStore.mask { hasSecretKey = !secret.isEmpty }
    }
}

/// A job's secrets, deciphered.
package struct JobSecrets: Sendable, Equatable {
    /// Of its store.
    package var storeKey: Secret?
    /// The whole address of its database.
    package var source: Secret?
    /// What is told of each of its runs.
    package var pingURL: Secret?

    package init() {}
}

extension JobStore {
    enum CodingKeys: String, CodingKey {
        case isEnabled = "s3_enabled"
        case endpoint = "s3_endpoint"
        case bucket = "s3_bucket"
        case region = "s3_region"
        case accessKey = "s3_access_key"
        case secretKey = "s3_secret_key"
        case prefix = "s3_prefix"
    }

    /// Among the job's own fields, as Elder's clients expect it: what is missing as null, the secret as its mask.
    func encode(into encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(isEnabled, forKey: .isEnabled)
        try values.encode(endpoint, forKey: .endpoint)
        try values.encode(bucket, forKey: .bucket)
        try values.encode(region, forKey: .region)
        try values.encode(accessKey, forKey: .accessKey)
        try values.encode(hasSecretKey ? JobStore.mask : nil, forKey: .secretKey)
        try values.encode(prefix, forKey: .prefix)
    }
}
