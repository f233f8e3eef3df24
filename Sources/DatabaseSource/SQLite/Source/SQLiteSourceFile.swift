internal import BackupCore
internal import CSQLite
import Glibc

/// Opens a database file for reading, with every way in which that can fail told.
enum SQLiteSourceFile {
    /// Opens the database and begins a read transaction that holds one state of it.
    static func open(_ path: String, lockTimeout: Duration) throws(BackupError) -> SQLiteConnection {
        try check(path)
        do {
            return try begin(path, mode: .readOnly, lockTimeout: lockTimeout)
        } catch {
            // A journal that a dead writer left must be rolled back, or a log recovered, before anything can be read.
            guard error.needsWriting else { throw error.cause }
            do {
                return try begin(path, mode: .readWrite, lockTimeout: lockTimeout)
            } catch {
                guard error.needsWriting else { throw error.cause }
                throw BackupError(
                    .source,
                    "\(path) cannot be read without writing: a journal must be rolled back, or the index of its log"
                        + " made (\(error.cause.message)); run this as a user who may write the file and its directory")
            }
        }
    }

    private struct Refusal: Error {
        var cause: BackupError
        var needsWriting: Bool
    }

    private static func begin(
        _ path: String, mode: SQLiteConnection.Mode, lockTimeout: Duration
    ) throws(Refusal) -> SQLiteConnection {
        let connection: SQLiteConnection
        do {
            connection = try SQLiteConnection(path: path, mode: mode, lockTimeout: lockTimeout)
        } catch {
            throw Refusal(cause: error, needsWriting: false)
        }
        do {
            try connection.execute("PRAGMA query_only=ON")
            try connection.execute("BEGIN")
            _ = try connection.integer("SELECT count(*) FROM main.sqlite_schema")
            return connection
        } catch {
            let status = sqlite3_extended_errcode(connection.handle)
            connection.close()
            throw Refusal(cause: error, needsWriting: needsWriting(status))
        }
    }

    private static func needsWriting(_ status: Int32) -> Bool {
        // A journal to roll back, a log to recover, or the index of a log to make.
        status & 0xFF == SQLITE_READONLY || status & 0xFF == SQLITE_CANTOPEN
    }

    /// Refuses what cannot be a database before SQLite gives it a vaguer name.
    private static func check(_ path: String) throws(BackupError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .system(.source, "open", path: path, errno: errno, hint: "check the path")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .system(.source, "open", path: path, errno: EISDIR, hint: "name a file in it")
        default: throw BackupError(.source, "cannot open \(path): it is not a regular file")
        }
        guard status.st_size > 0 else {
            throw BackupError(.source, "\(path) is empty (0 bytes): no database was ever written there; check the path")
        }
    }
}

/// The write-ahead log beside a database.
struct WriteAheadLog {
    let path: String
    private let sizeAtStart: Int?

    init(ofDatabase path: String) {
        self.path = path + "-wal"
        sizeAtStart = WriteAheadLog.size(self.path)
    }

    var wasThere: Bool { sizeAtStart != nil }

    /// By how many bytes it has grown since this was made.
    var growth: Int { max(0, (WriteAheadLog.size(path) ?? 0) - (sizeAtStart ?? 0)) }

    private static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }
}
