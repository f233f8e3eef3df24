internal import BackupCatalog
internal import BackupCore

/// The right to see to the schedule of a catalog's jobs; given up with the last reference, or with the process,
/// however it ends.
package final class ScheduleTurn: Sendable {
    private let lock: JobLock

    fileprivate init(_ lock: consuming JobLock) { self.lock = lock }
}

extension BackupEngine {
    /// Takes the right to see to the schedule, without waiting.
    ///
    /// - Throws: `locked` where another process has it, `storage` or `catalog` where that cannot be told.
    package func takeSchedule() async throws -> ScheduleTurn {
        try await CatalogThreads.run {
            let directory = self.configuration.backupDirectory
            try BackupDirectory.prepare(directory)
            return ScheduleTurn(
                try JobLock.acquireSchedule(directory: directory, installation: self.catalog.installationID()))
        }
    }
}
