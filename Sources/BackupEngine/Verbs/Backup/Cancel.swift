internal import BackupCatalog
package import BackupCore
internal import BackupFiles

extension BackupEngine {
    /// Tells a running backup to stop, whichever process of this machine, or of those that share the backup directory,
    /// runs it. Does not wait for its end.
    ///
    /// - Parameter name: who wants it, for the record.
    /// - Throws: `notFound`, also where it does not run any more.
    package func cancel(_ reference: BackupReference, by name: String) async throws -> BackupRecord {
        try await BlockingThread.run(named: "cancel") { _ in
            guard let record = try self.findRecord(reference) else {
                throw BackupError(
                    .notFound, "the catalog has no backup \"\(reference.text)\"; \"list\" shows those there are")
            }
            let installation = try self.catalog.installationID()
            let running = try self.running(record, installation: installation)
            let path = CancelOrder.path(
                for: running, in: self.configuration.backupDirectory, installation: installation)
            try CancelOrder.write(name, to: path)
            // Where it has ended meanwhile, nobody else takes the order away.
            guard let after = try self.catalog.record(id: record.id), after.status == .running else {
                try FileOperations.remove(path)
                throw BackupError(.notFound, try self.catalog.record(id: record.id)?.notRunning ?? record.notRunning)
            }
            return after
        }
    }

    /// Why a backup that nothing works on in this service cannot be cancelled here.
    package func refusalToCancel(_ id: Int64) async throws -> BackupError {
        let record = try await record(id)
        return try await BlockingThread.run(named: "cancel") { _ in
            do {
                let running = try self.running(record, installation: try self.catalog.installationID())
                let process = running.process.map { " (process \($0.pid) of \($0.host))" } ?? ""
                return BackupError(
                    .locked,
                    "backup \(id) is run by another process\(process), not by this service: stop it there, by "
                        + "`elder-backup cancel \(id)`")
            } catch let error as BackupError where error.code == .notFound {
                return BackupError(.locked, error.message)
            }
        }
    }

    /// The record, where its run goes on; closes it where its run is over and could not say so.
    ///
    /// - Throws: `notFound` where it does not run.
    private func running(_ record: BackupRecord, installation: String) throws -> BackupRecord {
        guard record.status == .running else { throw BackupError(.notFound, record.notRunning) }
        if try goesOn(record) { return record }
        outcomes.settle()
        do {
            try close(record, installation: installation)
        } catch {
            throw BackupError(
                .notFound, "the run of backup \(record.id) is over, and its record cannot be written yet: \(error)")
        }
        throw BackupError(.notFound, (try catalog.record(id: record.id) ?? record).notRunning)
    }
}

extension BackupRecord {
    /// Why there is nothing to cancel.
    fileprivate var notRunning: String { "backup \(id) does not run: it is \(status.rawValue)" }
}
