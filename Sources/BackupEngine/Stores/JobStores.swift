internal import BackupCore
internal import S3Client

/// What a job's backups are copied to: a value of its own for each job, made of what the job says over what is
/// configured for all.
struct JobStores: Sendable {
    /// Nil for one that was deleted.
    let job: BackupJob?
    /// For all jobs; nil where no store is.
    let configured: RemoteSettings?
    /// The job's own primary store, but for its secret key; nil where it has none of its own.
    let own: StoreSettings?

    /// - Parameter basis: what a job's own settings stand on where no store is configured for all.
    init(_ job: BackupJob?, configured: RemoteSettings?, basis: RemoteSettings) {
        self.job = job
        self.configured = configured
        own = job.flatMap { $0.store.hasOwnSettings ? (configured ?? basis).primary.adapted(to: $0) : nil }
    }

    /// The job's own, or the one for all; nil where there is neither.
    var primary: StoreSettings? {
        guard let settings = own ?? configured?.primary, !settings.bucket.isEmpty else { return nil }
        return settings
    }

    /// Whether new backups are copied.
    var isEnabled: Bool { job?.store.isEnabled ?? configured?.isEnabled ?? false }

    /// The stores that a backup should be copied to, the primary one first.
    var all: [StoreSettings] { [primary].compactMap { $0 } + (configured?.replicas ?? []) }

    var names: [String] { all.map(\.name) }

    /// Those that a copy may lie in, the likeliest first.
    func candidates(for copy: RemoteCopy) -> [StoreSettings] {
        let known = all + (configured?.all ?? [])
        return known.filter { $0.name == copy.store } + known.filter { $0.name != copy.store }
    }

    /// What makes no sense about the job's own settings, as an error of `usage`; nil where they can be used.
    ///
    /// - Parameter hasSecret: whether there is a secret key of the job's own.
    func fault(hasSecret: Bool) -> BackupError? {
        guard let job else { return nil }
        if job.store.isEnabled == true, primary == nil {
            return .field(
                "s3_bucket",
                "copies are switched on, and there is no bucket: name one, or set BACKUP_S3_BUCKET for all jobs",
                code: .configuration)
        }
        guard let own else { return nil }
        if (job.store.accessKey != nil) != hasSecret {
            let (there, missing) = hasSecret ? ("s3_secret_key", "s3_access_key") : ("s3_access_key", "s3_secret_key")
            return .field(missing, "\(there) is given, and this is not: give both, or neither", code: .configuration)
        }
        if let fault = own.fault {
            return .field("s3_\(fault.variable.lowercased())", fault.reason, code: .configuration)
        }
        let twin = (configured?.replicas ?? []).first {
            $0.bucket == own.bucket && $0.prefix == own.prefix && $0.endpoint == own.endpoint
        }
        return twin.map {
            .field(
                "s3_bucket",
                "\(own.bucket)/\(own.prefix) is the same place as \($0.variablePrefix)BUCKET: give the job another bucket "
                    + "or another prefix", code: .configuration)
        }
    }
}

extension StoreSettings {
    /// What is configured for all, with what a job says in its place; without its secret key.
    ///
    /// Where the job names an endpoint, what says how to talk to the configured one does not matter to it.
    fileprivate func adapted(to job: BackupJob) -> StoreSettings {
        var settings = self
        settings.owner = job.id
        if let endpoint = job.store.endpoint {
            settings.endpoint = endpoint.lowercased() == "aws" ? nil : endpoint
            if !isAt(settings.placeDescription) {
                settings.provider = nil
                settings.addressing = nil
                settings.storageClass = nil
                settings.objectLock = nil
            }
        }
        settings.bucket = job.store.bucket ?? bucket
        settings.region = job.store.region ?? region
        settings.prefix = job.store.prefix ?? prefix
        if job.store.accessKey != nil || job.store.hasSecretKey { settings.keys = nil }
        return settings
    }

    /// Where its objects lie: the same for two stores that are one.
    var location: String { "\(placeDescription)/\(bucket)/\(prefix)" }

    /// The endpoint as the catalog writes it down; empty for one that is none.
    var placeDescription: String { (try? s3Endpoint())?.description ?? "" }

    /// Whether the store is at an endpoint that the catalog wrote down. Amazon's is one, whatever the region.
    func isAt(_ place: String) -> Bool {
        guard let own = try? s3Endpoint(), let other = try? S3Endpoint(parsing: place) else { return false }
        return own.description == other.description || own.isAmazon && other.isAmazon
    }
}
