internal import BackupCore
internal import Logging
internal import Synchronization

/// The stores of one verb, each opened when it is first needed: those configured for all jobs, and jobs' own.
///
/// What a job says of its store is read once for each verb: nothing that is changed meanwhile changes a run.
final class Stores: Sendable {
    /// What is configured for all jobs.
    let settings: RemoteSettings?
    private let basis: RemoteSettings
    /// Nil where no job matters.
    private let catalog: (any CatalogStore)?
    private let logger: Logger

    private struct State {
        var jobs: [Int64: JobStores] = [:]
        var opened: [(settings: StoreSettings, store: RemoteStore)] = []
    }
    private let state = Mutex(State())

    init(
        _ settings: RemoteSettings?, basis: RemoteSettings? = nil, catalog: (any CatalogStore)? = nil, logger: Logger
    ) {
        self.settings = settings
        self.basis = basis ?? Stores.emptyBasis
        self.catalog = catalog
        self.logger = logger
    }

    /// Where nothing at all is configured.
    static let emptyBasis = RemoteSettings(
        isEnabled: false, primary: StoreSettings(name: RemoteCopy.primaryStore, bucket: ""))

    /// Bytes of objects that were fetched.
    var received: Int64 {
        state.withLock { $0.opened.reduce(0) { $0 + $1.store.received.load(ordering: .relaxed) } }
    }

    /// What a job's backups are copied to, as it is from now on for this verb.
    func use(_ job: BackupJob) -> JobStores {
        state.withLock { state in
            if let known = state.jobs[job.id] { return known }
            let stores = JobStores(job, configured: settings, basis: basis)
            state.jobs[job.id] = stores
            return stores
        }
    }

    /// The same for a job that may have been deleted.
    func ofJob(_ id: Int64) throws -> JobStores {
        if let known = state.withLock({ $0.jobs[id] }) { return known }
        guard let job = try catalog?.job(id: id) else { return JobStores(nil, configured: settings, basis: basis) }
        return use(job)
    }

    /// A store that is configured for all jobs.
    ///
    /// - Throws: `configuration` where no such store is.
    func store(_ name: String) throws -> RemoteStore {
        guard let settings = settings?.all.first(where: { $0.name == name }) else { throw missing(name) }
        return try open(settings)
    }

    /// The store that a job's new backups go to.
    ///
    /// - Throws: `configuration` where there is none, or its settings make no sense or cannot be read.
    func store(_ name: String, ofJob id: Int64) throws -> RemoteStore {
        let stores = try ofJob(id)
        guard let settings = stores.all.first(where: { $0.name == name }) else {
            if let fault = stores.fault(hasSecret: stores.job?.store.hasSecretKey ?? false) {
                throw BackupError(.configuration, "job \(id): \(fault)")
            }
            throw missing(name)
        }
        return try open(try withKeys(settings, stores))
    }

    /// The store that a copy of a job's backup lies in. Where it was sent decides, whatever the job says by now.
    ///
    /// - Throws: `configuration` where nobody has given credentials for that place.
    func store(holding copy: RemoteCopy, ofJob id: Int64) throws -> RemoteStore {
        let stores = try ofJob(id)
        let candidates = stores.candidates(for: copy)
        let near = copy.endpoint.isEmpty ? candidates : candidates.filter { $0.isAt(copy.endpoint) }
        if let settings = near.first(where: { $0.bucket == copy.bucket }) ?? near.first {
            return try open(try withKeys(settings, stores))
        }
        // The configured store may be the same under another name, and a job that has no other may know it by that.
        if let job = stores.job, job.store.endpoint == nil, let settings = candidates.first, settings.name == copy.store
        {
            return try open(try withKeys(settings, stores))
        }
        if stores.job != nil, !copy.endpoint.isEmpty, candidates.isEmpty { throw missing(copy.store) }
        throw noCredentials(for: copy, candidates, stores, id)
    }

    /// With the secret key of the job whose own it is.
    private func withKeys(_ settings: StoreSettings, _ stores: JobStores) throws -> StoreSettings {
        guard let job = stores.job, settings.owner == job.id else { return settings }
        let secret = job.store.hasSecretKey ? try catalog?.secrets(ofJob: job.id).storeKey : nil
        if let fault = stores.fault(hasSecret: secret != nil) {
            throw BackupError(.configuration, "job \(job.id) \"\(job.name)\": \(fault)")
        }
        var settings = settings
        if let secret, let accessKey = job.store.accessKey {
            settings.keys = StoreSettings.Keys(accessKey: accessKey, secretKey: secret)
        }
        return settings
    }

    private func open(_ settings: StoreSettings) throws -> RemoteStore {
        try state.withLock { state in
            if let known = state.opened.first(where: { $0.settings == settings }) { return known.store }
            let environment = (self.settings ?? basis).environment
            let store = try RemoteStore(settings, environment: environment, logger: logger)
            state.opened.append((settings, store))
            return store
        }
    }

    private func missing(_ name: String) -> BackupError {
        let variable =
            name == RemoteCopy.primaryStore
            ? "BACKUP_S3_BUCKET" : "BACKUP_S3_\(name.uppercased().replacing("-", with: "_"))_BUCKET"
        return BackupError(
            .configuration, "the store \(name) is not configured: set \(variable) and what it needs")
    }

    private func noCredentials(
        for copy: RemoteCopy, _ candidates: [StoreSettings], _ stores: JobStores, _ id: Int64
    ) -> BackupError {
        let known = candidates.map { "\($0.placeDescription)/\($0.bucket)" }
        let unique = known.enumerated().filter { !known[..<$0.offset].contains($0.element) }.map(\.element)
        let owner = stores.job.map { "job \($0.id) \"\($0.name)\"" } ?? "job \(id), which was deleted,"
        return BackupError(
            .configuration,
            "\(copy.place) of \(owner) lies at \(copy.endpoint.isEmpty ? "an unknown endpoint" : copy.endpoint), for which "
                + "there are no credentials (known are: \(unique.isEmpty ? "none" : unique.joined(separator: ", "))): set "
                + "BACKUP_S3_ENDPOINT, BACKUP_S3_BUCKET and the keys to that store for this command, or give the job its "
                + "store back")
    }

    func shutdown() async {
        let all = state.withLock { state in
            defer { state.opened = [] }
            return state.opened.map(\.store)
        }
        for store in all { await store.shutdown() }
    }
}
