internal import BackupCore
internal import CSQLite

extension SQLiteConnection {
    /// A result code as an error: what happened, why, what to do (https://sqlite.org/rescode.html).
    static func error(_ status: Int32, _ handle: OpaquePointer?, path: String) -> BackupError {
        let words = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(status))
        let system = handle.map { sqlite3_system_errno($0) } ?? 0
        switch status & 0xFF {
        case SQLITE_NOTADB:
            return BackupError(.source, "\(path) is not a SQLite database, or it is encrypted (\(words))")
        case SQLITE_CORRUPT:
            return BackupError(
                .source,
                "\(path) is corrupt (\(words)); run PRAGMA integrity_check on it, and restore it from a backup")
        case SQLITE_BUSY, SQLITE_LOCKED:
            return BackupError(
                .source, "\(path) is locked by another process (\(words)); end it or wait longer and run again")
        case SQLITE_CANTOPEN:
            return system == 0
                ? BackupError(.source, "cannot open \(path): \(words)")
                : .system(.source, "open", path: path, errno: system)
        case SQLITE_PERM, SQLITE_AUTH:
            return BackupError(.source, "not allowed on \(path): \(words)")
        case SQLITE_READONLY:
            return BackupError(.target, "cannot write to \(path): \(words)")
        case SQLITE_FULL:
            return BackupError(.storage, "no space left to write \(path); free some and run again")
        case SQLITE_IOERR:
            let reason = system == 0 ? words : SystemErrorText.text(for: system)
            return BackupError(.storage, "reading or writing \(path) failed: \(reason)")
        case SQLITE_NOMEM:
            return BackupError(.storage, "out of memory while working on \(path)")
        case SQLITE_CONSTRAINT:
            return BackupError(.target, "a constraint of the target refuses the row: \(words)")
        case SQLITE_INTERRUPT:
            return BackupError(.cancelled, "cancelled while working on \(path)")
        default:
            return BackupError(.source, "SQLite error \(status) on \(path): \(words)")
        }
    }
}
