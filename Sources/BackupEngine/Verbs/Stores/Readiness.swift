internal import BackupCore
internal import BackupFiles
internal import Logging

/// Whether backups could be made now, check by check, without a word on why not: anyone may ask.
package struct ReadinessReport: Sendable, Encodable, Equatable {
    package enum Status: String, Sendable, Encodable {
        case ok
        case failed
        /// There is nothing to check.
        case off
    }

    package var catalog: Status
    package var disk: Status
    package var s3: Status

    package var isReady: Bool { ![catalog, disk, s3].contains(.failed) }
}

/// Answers whether the service is ready. What is found counts for a while, so that whoever asks without end costs the
/// catalog, the disk and above all the stores nothing.
package actor ReadinessProbe {
    private let engine: BackupEngine
    private let minimumFree: Int64
    private let storeLimit: Duration
    private let localAge: Duration
    private let storeAge: Duration

    private typealias Status = ReadinessReport.Status
    private var local: (catalog: Status, disk: Status, at: ContinuousClock.Instant)?
    private var stores: (status: Status, at: ContinuousClock.Instant)?
    private var asking: Task<Status, Never>?

    /// - Parameters:
    ///   - minimumFree: in bytes, of the backup directory's file system.
    ///   - localAge: how long what was found of the catalog and the disk counts.
    ///   - storeAge: the same for stores.
    ///   - storeLimit: how long a store may take to answer.
    package init(
        _ engine: BackupEngine, minimumFree: Int64, localAge: Duration = .seconds(1),
        storeAge: Duration = .seconds(30), storeLimit: Duration = .seconds(5)
    ) {
        self.engine = engine
        self.minimumFree = minimumFree
        self.localAge = localAge
        self.storeAge = storeAge
        self.storeLimit = storeLimit
    }

    package func report() async -> ReadinessReport {
        let now = ContinuousClock.now
        var known = local
        if known.map({ now - $0.at >= localAge }) ?? true {
            let (catalog, disk) = await (self.catalog(), self.disk())
            known = (catalog, disk, now)
            local = known
        }
        let s3 = await storesStatus(now)
        return ReadinessReport(catalog: known?.catalog ?? .failed, disk: known?.disk ?? .failed, s3: s3)
    }

    private func catalog() async -> Status {
        await check("catalog") { _ = try await self.engine.installationID() }
    }

    private func disk() async -> Status {
        let (directory, minimum) = (engine.configuration.backupDirectory, minimumFree)
        return await check("disk") {
            try await CatalogThreads.run {
                try BackupDirectory.prepare(directory)
                try BackupDirectory.requireSpace(directory, minimum: minimum)
            }
        }
    }

    /// Of many that ask at once one asks the stores, and all get its answer.
    private func storesStatus(_ now: ContinuousClock.Instant) async -> Status {
        guard let remote = engine.configuration.remote, remote.isEnabled else { return .off }
        if let stores, now - stores.at < storeAge { return stores.status }
        if let asking { return await asking.value }
        let limit = storeLimit
        let task = Task { await self.check("s3") { try await self.engine.reachStores(remote, within: limit) } }
        asking = task
        let status = await task.value
        asking = nil
        stores = (status, ContinuousClock.now)
        return status
    }

    private func check(_ name: String, _ body: () async throws -> Void) async -> Status {
        do {
            try await body()
            return .ok
        } catch {
            engine.logger.error("not ready", metadata: ["check": "\(name)", "error": "\(error)"])
            return .failed
        }
    }
}

extension BackupEngine {
    fileprivate func installationID() async throws -> String {
        try await CatalogThreads.run { try self.catalog.installationID() }
    }

    /// Asks each configured store for its bucket.
    ///
    /// - Throws: `s3` where one does not answer in time, or refuses.
    fileprivate func reachStores(_ remote: RemoteSettings, within limit: Duration) async throws {
        let stores = Stores(remote, logger: logger)
        let names = remote.all.map(\.name)
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names {
                    let store = try stores.store(name)
                    group.addTask { try await store.reach() }
                }
                group.addTask {
                    try await Task.sleep(for: limit)
                    throw BackupError(.remote, "a store did not answer within \(limit)")
                }
                for _ in names { try await group.next() }
                group.cancelAll()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await stores.shutdown()
        try outcome.get()
    }
}

extension BackupDirectory {
    /// - Throws: `storage` where fewer bytes are free to this user, or nothing can be written.
    fileprivate static func requireSpace(_ path: String, minimum: Int64) throws(BackupError) {
        let free = try FileSystemRoom(of: path).free
        guard free >= minimum else {
            throw BackupError(
                .storage,
                "\(path) has \(free) bytes free, and BACKUP_MIN_FREE_BYTES asks for \(minimum): free some space")
        }
    }
}
