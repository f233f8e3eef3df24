internal import BackupCore
internal import BackupFiles
internal import Synchronization

/// A file on its way from a client: it lies in a hidden directory that goes with the last reference to it, and that the
/// next start's sweep takes where this process dies. The lock guards the file.
package final class ImportUpload: @unchecked Sendable {
    /// Where the file lies.
    package let path: String
    private let directory: FetchDirectory
    private let lock = Mutex(())
    private let file: OutputFile

    fileprivate init(in backupDirectory: String, installation: String) throws {
        directory = try FetchDirectory(in: backupDirectory, installation: installation)
        path = directory.path + "/upload"
        file = try OutputFile(temporaryPath: path)
    }

    /// Writes behind what is there; blocks.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try lock.withLock { _ in try file.write(bytes) }
    }
}

extension BackupEngine {
    /// A place for a file that a client sends, to be imported once it is whole.
    package func beginUpload() async throws -> ImportUpload {
        try await BlockingThread.run(named: "begin-upload") { _ in
            try BackupDirectory.prepare(self.configuration.backupDirectory)
            return try ImportUpload(
                in: self.configuration.backupDirectory, installation: try self.catalog.installationID())
        }
    }
}
