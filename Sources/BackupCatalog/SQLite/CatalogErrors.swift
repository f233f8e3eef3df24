internal import BackupCore
internal import GRDB

/// What the database engine says, in the words of the catalog: what, where, why, what to do.
enum CatalogErrors {
    static func mapped<Value>(path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw BackupError(.catalog, "the catalog \(path) \(reason(error))")
        }
    }

    private static func reason(_ error: DatabaseError) -> String {
        switch error.resultCode {
        case .SQLITE_NOTADB:
            "is not a SQLite database, or is encrypted: give BACKUP_CATALOG_URL another path"
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            "has been locked by another process for too long: see what holds it, then run again"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            "cannot be written: permission denied, or the file system is read-only"
        case .SQLITE_CANTOPEN:
            "cannot be opened: give this user the right to read and write the file and its directory"
        case .SQLITE_FULL:
            "cannot be written: no space left on the device; free some and run again"
        case .SQLITE_CORRUPT:
            "is damaged (\(error.message ?? "malformed")): move it away and run `elder-backup catalog rebuild`"
        case .SQLITE_IOERR:
            "cannot be read or written (\(error.message ?? "input/output error")): check the disk"
        default:
            "refuses: \(error.message ?? "SQLite error \(error.extendedResultCode.rawValue)")"
        }
    }
}
