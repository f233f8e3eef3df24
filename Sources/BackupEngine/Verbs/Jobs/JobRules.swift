internal import BackupCore
internal import S3Client

/// Who asks for something.
package enum RequestOrigin: Sendable {
    /// Someone who can run the program, and read and write what its user can.
    case command
    /// A client of the API, who must not choose what the service connects to.
    case api
}

/// What a change of a job's store and source must fulfil.
struct JobRules {
    let configuration: EngineConfiguration
    let origin: RequestOrigin
    /// The job as it is; nil for a new one.
    let job: BackupJob?

    /// - Throws: `usage`, beginning with the field that is at fault; never with a secret.
    func check(_ change: BackupJobChange) throws(BackupError) {
        if let source = change.source, !source.isEmpty { try check(source: source) }
        guard change.store != JobStoreChange() else { return }
        try checkTexts(change.store)
        var store = job?.store ?? JobStore()
        store.apply(change.store)
        if origin == .api, store.endpoint != job?.store.endpoint, let endpoint = store.endpoint {
            try check(endpoint: endpoint)
        }
        var changed =
            job
            ?? BackupJob(
                id: 0, uuid: "", name: "", retention: RetentionPolicy(days: 1), createdAt: Timestamp.now(),
                updatedAt: Timestamp.now())
        changed.store = store
        let stores = JobStores(
            changed, configured: configuration.remote, basis: configuration.remoteBasis ?? Stores.emptyBasis)
        if let fault = stores.fault(hasSecret: store.hasSecretKey) { throw fault }
    }

    // MARK: The source

    private func check(source: String) throws(BackupError) {
        guard source != job?.source else { return }
        guard origin == .api else {
            _ = try DatabaseURL(source)
            return
        }
        guard !source.contains(JobStore.mask) else { return }  // The catalog says what is wrong with it.
        let place = try DatabasePlace(source)
        let configured = configuration.source.flatMap { SourcePattern(configured: $0) }
        guard (configuration.allowed.sources + [configured].compactMap { $0 }).contains(where: { $0.matches(place) })
        else {
            throw .field(
                "source",
                "this database is not allowed over the API: the service's BACKUP_ALLOWED_SOURCES must name it, or "
                    + "`elder-backup job update` set it", code: .forbidden)
        }
    }

    // MARK: The store

    private func checkTexts(_ store: JobStoreChange) throws(BackupError) {
        let rules: [(field: String, text: String?, read: (String) -> String?, rule: String)] = [
            (
                "s3_bucket", store.bucket, StoreText.bucket,
                "a bucket's name has 3 to 63 lower-case letters, digits, dots "
                    + "and hyphens"
            ),
            ("s3_region", store.region, StoreText.region, "a region's name has letters, digits and hyphens"),
            ("s3_prefix", store.prefix, StoreText.prefix, "a prefix has up to 900 bytes and no control characters"),
            ("s3_access_key", store.accessKey, StoreText.key, "a key has no spaces and no control characters"),
            (
                "s3_secret_key", store.secretKey?.revealed, StoreText.key,
                "a key has no spaces and no control characters"
            ),
        ]
        for rule in rules {
            if let text = rule.text, !text.isEmpty, rule.read(text) == nil || text.utf8.count > 1024 {
                throw .field(rule.field, rule.rule)
            }
        }
        if let endpoint = store.endpoint, !endpoint.isEmpty, endpoint.lowercased() != "aws" {
            guard (try? S3Endpoint(parsing: endpoint)) != nil else {
                throw .field("s3_endpoint", "it is no address of a store: give https://host, https://host:port, or aws")
            }
        }
    }

    private func check(endpoint: String) throws(BackupError) {
        let isAmazon = endpoint.lowercased() == "aws"
        let known = configuration.remote?.all ?? []
        if isAmazon, known.contains(where: { $0.endpoint == nil }) { return }
        if !isAmazon, let wanted = JobRules.pattern(endpoint) {
            let configured = known.compactMap { $0.endpoint.flatMap(JobRules.pattern) }
            if (configuration.allowed.endpoints + configured).contains(wanted) { return }
        }
        throw .field(
            "s3_endpoint",
            "this store is not allowed over the API: the service's BACKUP_ALLOWED_S3_ENDPOINTS must name its "
                + "host and port, or `elder-backup job update` set it", code: .forbidden)
    }

    /// - Returns: nil where the host is not written plainly.
    private static func pattern(_ endpoint: String) -> EndpointPattern? {
        guard let place = try? S3Endpoint(parsing: endpoint) else { return nil }
        return EndpointPattern(host: place.host, port: place.port ?? (place.scheme == .https ? 443 : 80))
    }
}
