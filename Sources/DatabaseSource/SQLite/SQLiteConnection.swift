internal import BackupCore
internal import CSQLite

/// One connection to a SQLite database through the C interface (https://sqlite.org/c3ref/intro.html).
///
/// Used by one thread at a time. GRDB serves the catalog; here values must come and go exactly, without passing
/// through `String`, which repairs invalid text.
final class SQLiteConnection {
    enum Mode {
        /// Reads only; falls back to read-write where a crashed writer left a journal that must be rolled back first.
        case readOnly
        /// Reads and writes a file that exists.
        case readWrite
        /// Makes a new file.
        case create
        /// A private database in memory.
        case memory
    }

    let path: String
    let handle: OpaquePointer
    private var isClosed = false
    private var interruption: Interruption?

    init(path: String, mode: Mode, lockTimeout: Duration = .seconds(30)) throws(BackupError) {
        var handle: OpaquePointer?
        let flags: Int32 =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create, .memory: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        // A library may be built to take "file:" for the beginning of a URI; a path is a path.
        let name = mode == .memory ? ":memory:" : path.hasPrefix("file:") ? "./" + path : path
        let status = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard status == SQLITE_OK, let handle else {
            let error = SQLiteConnection.error(status, handle, path: path)
            sqlite3_close_v2(handle)
            throw error
        }
        self.path = path
        self.handle = handle
        sqlite3_busy_timeout(handle, Int32(clamping: lockTimeout.milliseconds))
        // A temporary structure belongs in memory, never in a directory that other users read.
        try execute("PRAGMA temp_store=MEMORY")
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        sqlite3_close_v2(handle)
    }

    /// Ends what the connection does, with `cancelled`, once this says so: also what SQLite does within one call, such
    /// as building an index.
    func interrupt(when isCancelled: @escaping @Sendable () -> Bool) {
        let interruption = Interruption(isCancelled)
        self.interruption = interruption
        sqlite3_progress_handler(
            handle, 20_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Interruption>.fromOpaque(context).takeUnretainedValue().isCancelled() ? 1 : 0
            }, Unmanaged.passUnretained(interruption).toOpaque())
    }

    /// What the progress handler looks at; lives as long as the connection.
    private final class Interruption {
        let isCancelled: @Sendable () -> Bool
        init(_ isCancelled: @escaping @Sendable () -> Bool) { self.isCancelled = isCancelled }
    }

    /// Closes, and fails where a statement still holds the connection: a file that is about to get its name must be
    /// complete. Statements that virtual tables keep for themselves are ended by SQLite.
    func closeCompletely() throws(BackupError) {
        guard !isClosed else { return }
        guard sqlite3_close(handle) == SQLITE_OK else {
            throw BackupError(.internal, "a statement on \(path) was still open when the restore ended")
        }
        isClosed = true
    }

    /// Runs one or more statements of our own that return nothing of interest.
    func execute(_ sql: String) throws(BackupError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw error(status) }
    }

    func prepare(_ sql: String) throws(BackupError) -> SQLiteStatement {
        try SQLiteStatement(sql, on: self)
    }

    /// The first column of the first row as an integer; nil where there is no row or it is null.
    func integer(_ sql: String, _ arguments: String...) throws(BackupError) -> Int64? {
        let statement = try prepare(sql)
        for (index, argument) in arguments.enumerated() { statement.bind(argument, at: Int32(index + 1)) }
        guard try statement.step() else { return nil }
        return statement.isNull(0) ? nil : statement.integer(0)
    }

    /// The first column of the first row as text; nil where there is no row or it is null.
    func text(_ sql: String, _ arguments: String...) throws(BackupError) -> String? {
        let statement = try prepare(sql)
        for (index, argument) in arguments.enumerated() { statement.bind(argument, at: Int32(index + 1)) }
        guard try statement.step() else { return nil }
        return try statement.text(0)
    }

    /// Sets a switch of the connection (https://sqlite.org/c3ref/c_dbconfig_defensive.html).
    func configure(_ option: Int32, _ on: Bool) throws(BackupError) {
        let status = eb_sqlite3_db_config_flag(handle, option, on ? 1 : 0, nil)
        guard status == SQLITE_OK else { throw error(status) }
    }

    var changes: Int64 { sqlite3_changes64(handle) }

    /// A result code of this connection as an error: what happened, why, what to do.
    func error(_ status: Int32) -> BackupError {
        SQLiteConnection.error(status, handle, path: path)
    }

    /// A name as SQL, quoted.
    static func quote(_ name: String) -> String {
        // Byte by byte: a quote and a combining accent behind it are one `Character`.
        var bytes: [UInt8] = [0x22]
        for byte in name.utf8 {
            if byte == 0x22 { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(0x22)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A compiled statement. Used by one thread at a time, and not after its connection was closed.
final class SQLiteStatement {
    let handle: OpaquePointer
    private let connection: SQLiteConnection

    fileprivate init(_ sql: String, on connection: SQLiteConnection) throws(BackupError) {
        var handle: OpaquePointer?
        let status = sqlite3_prepare_v2(connection.handle, sql, -1, &handle, nil)
        guard status == SQLITE_OK else { throw connection.error(status) }
        guard let handle else { throw BackupError(.internal, "an empty statement was prepared") }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Goes to the next row; false when there is none.
    @discardableResult
    func step() throws(BackupError) -> Bool {
        let status = sqlite3_step(handle)
        if status == SQLITE_ROW { return true }
        if status == SQLITE_DONE { return false }
        throw connection.error(status)
    }

    func reset() {
        sqlite3_reset(handle)
    }

    func bind(_ value: Int64, at index: Int32) {
        sqlite3_bind_int64(handle, index, value)
    }

    func bind(_ text: String, at index: Int32) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // A null pointer would bind NULL, and an empty buffer may have one.
                guard let base = characters.baseAddress else {
                    _ = eb_sqlite3_bind_text_transient(handle, index, "", 0)
                    return
                }
                _ = eb_sqlite3_bind_text_transient(handle, index, base, UInt64(characters.count))
            }
        }
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The column as text, NUL included; nil for null. Throws where it is not valid UTF-8: names and definitions only,
    /// never data.
    func text(_ column: Int32) throws(BackupError) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw BackupError(
                .unsupported,
                "a name or definition in the schema is not valid UTF-8: \(String(decoding: bytes, as: UTF8.self))")
        }
        return text
    }
}

extension Duration {
    /// Whole milliseconds.
    package var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
