package import BackupCore
internal import BackupFiles
internal import Glibc

/// What monitoring is told of an installation.
package struct InstallationFigures: Sendable {
    package var catalog: CatalogFigures
    package var jobs: [BackupJob]
    /// Of the catalog's file, in bytes.
    package var catalogSize: Int64
    /// Of the file system that holds the backup directory: what this process may still write, in bytes.
    package var diskFree: Int64
    /// All that the file system holds, in bytes.
    package var diskSize: Int64
}

extension BackupEngine {
    /// - Throws: `catalog`, `storage`.
    package func figures(_ query: FiguresQuery) async throws -> InstallationFigures {
        try await BlockingThread.run(named: "figures") { _ in
            var query = query
            // Where copying is switched off none is missing.
            if let remote = self.configuration.remote, remote.isEnabled { query.stores = remote.all.map(\.name) }
            var status = stat()
            let catalogSize = stat(self.configuration.catalogPath, &status) == 0 ? Int64(status.st_size) : 0
            let room = try FileSystemRoom(of: self.configuration.backupDirectory)
            let jobs = try self.catalog.jobs(enabled: nil)
            for job in jobs { query.ownContents[job.id] = self.ownContent(of: job) }
            return InstallationFigures(
                catalog: try self.catalog.figures(query), jobs: jobs,
                catalogSize: catalogSize, diskFree: room.free, diskSize: room.size)
        }
    }
}

extension BackupJob {
    /// The longest time that its schedule leaves between two runs from the last one before now on, in seconds; nil without
    /// a schedule that can be read.
    package func longestGap(after now: Timestamp) -> Double? {
        guard enabled, let schedule, let plan = try? CronSchedule(schedule, owner: uuid), let clock = try? clock()
        else {
            return nil
        }
        return plan.longestGap(around: now, offset: clock.offset).map { Double($0) / 1_000_000 }
    }
}
