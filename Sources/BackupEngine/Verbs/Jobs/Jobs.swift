package import BackupCore

/// Some of the jobs that were asked for.
package struct JobPage: Sendable {
    package var jobs: [BackupJob]
    /// Behind which the next ones begin; nil behind the last one.
    package var next: Int64?
}

extension BackupEngine {
    package func jobs(enabled: Bool? = nil) async throws -> [BackupJob] {
        try await CatalogThreads.run { try self.catalog.jobs(enabled: enabled) }
    }

    /// - Throws: `notFound`.
    package func job(_ reference: JobReference) async throws -> BackupJob {
        try await CatalogThreads.run { try self.findJob(reference) }
    }

    /// - Parameter origin: over the API a job may not name any database and any store.
    /// - Throws: `usage` for a field that is missing or wrong, a name that is taken, a source that is no address.
    package func createJob(_ change: BackupJobChange, from origin: RequestOrigin = .command) async throws -> BackupJob {
        try await audited("job.create", "job \(change.name ?? "")", describe: { "job \($0.id)" }) {
            try await BlockingThread.run(named: "create-job") { _ in
                try JobRules(configuration: self.configuration, origin: origin, job: nil).check(change)
                return try self.catalog.createJob(
                    change, defaultRetentionDays: self.configuration.retentionDays, at: Timestamp.now())
            }
        }
    }

    /// - Parameter origin: over the API a job may not name any database and any store.
    /// - Throws: as ``createJob(_:from:)``; `notFound`.
    package func updateJob(
        _ reference: JobReference, _ change: BackupJobChange, from origin: RequestOrigin = .command
    ) async throws -> BackupJob {
        try await audited("job.update", "job \(reference.text)", detail: change.fieldNames) {
            try await BlockingThread.run(named: "update-job") { _ in
                let job = try self.findJob(reference)
                try JobRules(configuration: self.configuration, origin: origin, job: job).check(change)
                return try self.catalog.updateJob(id: job.id, change, at: Timestamp.now())
            }
        }
    }

    /// Some of the jobs, by number.
    ///
    /// - Parameters:
    ///   - after: the number of the job behind which to begin.
    ///   - limit: at most so many; all when nil.
    package func jobs(enabled: Bool?, after: Int64?, limit: Int?) async throws -> JobPage {
        let found = try await jobs(enabled: enabled).filter { $0.id > after ?? 0 }
        let page = Array(found.prefix(limit ?? found.count))
        return JobPage(jobs: page, next: page.count < found.count ? page.last?.id : nil)
    }

    func findJob(_ reference: JobReference) throws -> BackupJob {
        if let id = Int64(reference.text), let job = try catalog.job(id: id) { return job }
        if let job = try catalog.job(named: reference.text) { return job }
        throw BackupError(.notFound, "no job \"\(reference.text)\"; \"job list\" shows those there are")
    }

    /// The job of backups that were asked for without one.
    func defaultJob() throws -> BackupJob {
        if let job = try catalog.job(named: BackupEngine.defaultJobName) { return job }
        var change = BackupJobChange()
        change.name = BackupEngine.defaultJobName
        change.description = "Backups that were asked for without a job"
        return try catalog.createJob(change, defaultRetentionDays: configuration.retentionDays, at: Timestamp.now())
    }

    static let defaultJobName = "default"
}
