package import BackupCore

extension BackupEngine {
    package func jobs(enabled: Bool? = nil) async throws -> [BackupJob] {
        try await CatalogThreads.run { try self.catalog.jobs(enabled: enabled) }
    }

    /// - Throws: `notFound`.
    package func job(_ reference: JobReference) async throws -> BackupJob {
        try await CatalogThreads.run { try self.findJob(reference) }
    }

    /// - Throws: `usage` for a field that is missing or wrong, a name that is taken, a source that is no address.
    package func createJob(_ change: BackupJobChange) async throws -> BackupJob {
        try await audited("job.create", "job \(change.name ?? "")", describe: { "job \($0.id)" }) {
            try await BlockingThread.run(named: "create-job") { _ in
                if let source = change.source { _ = try DatabaseURL(source) }
                return try self.catalog.createJob(
                    change, defaultRetentionDays: self.configuration.retentionDays, at: Timestamp.now())
            }
        }
    }

    package func updateJob(_ reference: JobReference, _ change: BackupJobChange) async throws -> BackupJob {
        try await audited("job.update", "job \(reference.text)", detail: change.fieldNames) {
            try await BlockingThread.run(named: "update-job") { _ in
                if let source = change.source, !source.isEmpty { _ = try DatabaseURL(source) }
                return try self.catalog.updateJob(id: try self.findJob(reference).id, change, at: Timestamp.now())
            }
        }
    }

    /// Removes a job; its backups stay.
    package func deleteJob(_ reference: JobReference) async throws -> BackupJob {
        try await audited("job.delete", "job \(reference.text)", describe: { $0.name }) {
            try await BlockingThread.run(named: "delete-job") { _ in
                let job = try self.findJob(reference)
                try self.catalog.deleteJob(id: job.id)
                return job
            }
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
