internal import BackupCore
internal import DatabaseSource
internal import Glibc

/// What was made by ``BackupEngine/makeDemo(inDirectory:)``.
package struct DemoResponse: Sendable, Codable {
    package var path: String
    package var tables: Int
    package var rows: Int64
}

extension BackupEngine {
    /// Makes `tracker.sqlite`, a sample database, in a directory that is made where it is missing.
    ///
    /// Throws `storage` where the file exists already or cannot be written.
    package static func makeDemo(inDirectory directory: String) async throws -> DemoResponse {
        guard !directory.isEmpty else { throw BackupError(.usage, "the directory's name is empty") }
        if mkdir(directory, 0o755) != 0, errno != EEXIST {
            throw BackupError.system(.storage, "create the directory", path: directory, errno: errno)
        }
        let path = directory.hasSuffix("/") ? directory + "tracker.sqlite" : directory + "/tracker.sqlite"
        // SQLite blocks, and must not do so on a thread of Swift's cooperative pool.
        return try await BlockingThread.run(named: "demo") { _ in
            let (tables, rows) = try SQLiteDemo.create(at: path)
            return DemoResponse(path: path, tables: tables, rows: rows)
        }
    }
}
