internal import BackupCore
internal import CSQLite
import Glibc

/// A private copy of a database, made by SQLite's own online backup (https://sqlite.org/backup.html), so that the
/// original is held only while it is copied.
enum SQLiteStaging {
    /// Copies the database of `source` into a new file, and returns a connection to it.
    ///
    /// The copy's name is taken away as soon as it is open: what ends the process later leaves nothing.
    static func copy(of source: SQLiteConnection, to path: String) throws(BackupError) -> SQLiteConnection {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(.storage, "make the copy", path: path, errno: errno) }
        defer { Glibc.close(descriptor) }
        let copy: SQLiteConnection
        do {
            defer { unlink(path) }
            copy = try SQLiteConnection(path: path, mode: .readWrite)
        }
        // Neither a journal nor a sync: a copy that is not finished is of no use to anyone.
        try copy.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        try fill(copy, from: source, path: path)
        try leaveLogMode(descriptor, path: path)
        try copy.execute("PRAGMA query_only=ON")
        try copy.execute("BEGIN")
        return copy
    }

    private static func fill(
        _ copy: SQLiteConnection, from source: SQLiteConnection, path: String
    ) throws(BackupError) {
        guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
            throw copy.error(sqlite3_extended_errcode(copy.handle))
        }
        let status = sqlite3_backup_step(backup, -1)
        let finished = sqlite3_backup_finish(backup)
        guard status == SQLITE_DONE, finished == SQLITE_OK else {
            let reason = status == SQLITE_DONE ? finished : status
            // The handle knows which of the two files failed only through the code.
            let failed = SQLiteConnection.error(reason, copy.handle, path: source.path)
            throw reason & 0xFF == SQLITE_FULL ? copy.error(reason) : failed
        }
    }

    /// A copy of a database with a write-ahead log would want a log too, beside a file that has no name any more: the
    /// header (https://sqlite.org/fileformat2.html, bytes 18 and 19) is set back to a rollback journal. The change
    /// counter (bytes 24 to 27) moves with it, so that SQLite reads the page again.
    private static func leaveLogMode(_ descriptor: Int32, path: String) throws(BackupError) {
        var header = [UInt8](repeating: 0, count: 28)
        guard pread(descriptor, &header, header.count, 0) == header.count else {
            throw .system(.storage, "read the copy", path: path, errno: errno)
        }
        guard header[18] == 2 || header[19] == 2 else { return }
        header[18] = 1
        header[19] = 1
        header[27] &+= 1
        guard pwrite(descriptor, header, header.count, 0) == header.count else {
            throw .system(.storage, "write the copy", path: path, errno: errno)
        }
    }
}
