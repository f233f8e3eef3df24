package import BackupCore

extension BackupEngine {
    package func jobs(enabled: Bool? = nil) async throws -> [BackupJob] {
        try await BlockingThread.run(named: "jobs") { _ in try self.catalog.jobs(enabled: enabled) }
    }

    /// - Throws: `notFound`.
    package func job(_ reference: JobReference) async throws -> BackupJob {
        try await BlockingThread.run(named: "job") { _ in try self.findJob(reference) }
    }

    /// - Parameter origin: over the API a job may not name any database and any store.
    /// - Throws: `usage` for a field that is missing or wrong, a name that is taken, a source that is no address.
    package func createJob(_ change: BackupJobChange, from origin: RequestOrigin = .command) async throws -> BackupJob {
        try await BlockingThread.run(named: "create-job") { _ in
            try JobRules(configuration: self.configuration, origin: origin, job: nil).check(change)
            return try self.catalog.createJob(
                change, defaultRetentionDays: self.configuration.retentionDays, at: Timestamp.now())
        }
    }

    /// - Parameter origin: over the API a job may not name any database and any store.
    /// - Throws: as ``createJob(_:from:)``; `notFound`.
    package func updateJob(
        _ reference: JobReference, _ change: BackupJobChange, from origin: RequestOrigin = .command
    ) async throws -> BackupJob {
        try await BlockingThread.run(named: "update-job") { _ in
            let job = try self.findJob(reference)
            try JobRules(configuration: self.configuration, origin: origin, job: job).check(change)
            return try self.catalog.updateJob(id: job.id, change, at: Timestamp.now())
        }
    }

    /// Removes a job; its backups stay.
    package func deleteJob(_ reference: JobReference) async throws -> BackupJob {
        try await BlockingThread.run(named: "delete-job") { _ in
            let job = try self.findJob(reference)
            try self.catalog.deleteJob(id: job.id)
            return job
        }
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
