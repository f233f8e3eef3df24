internal import BackupCatalog
package import BackupCore

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
            guard record.status == .running else { throw BackupError(.notFound, record.notRunning) }
            if record.process?.isAlive == false {
                throw BackupError(
                    .notFound, "the process that ran backup \(record.id) is gone: there is nothing to cancel")
            }
            try CancelOrder.write(
                name,
                to: CancelOrder.path(directory: self.configuration.backupDirectory, backupID: record.id))
            return record
        }
    }
}

extension BackupRecord {
    /// Why there is nothing to cancel.
    package var notRunning: String { "backup \(id) does not run: it is \(status.rawValue)" }
}
