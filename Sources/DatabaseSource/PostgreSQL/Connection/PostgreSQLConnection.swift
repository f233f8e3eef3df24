internal import BackupCore
internal import CLibpq
internal import Glibc

/// One connection to a PostgreSQL server, through libpq (https://www.postgresql.org/docs/current/libpq.html).
///
/// Calls block; all come from one thread at a time. Waiting is done here and not in libpq, so that a run that was
/// cancelled does not wait for the server: the server is told, and what it was doing ends.
final class PostgreSQLConnection {
    /// What a connection is opened for: decides the code of its errors and what it may do.
    enum Purpose {
        case source, target

        var errorCode: BackupError.Code { self == .source ? .source : .target }
    }

    let handle: OpaquePointer
    let purpose: Purpose
    let address: PostgreSQLAddress
    /// The server's version as a number: 150018 is 15.18.
    let serverVersion: Int32
    /// Whether the server is a standby, which replays what its primary did.
    private(set) var isStandby = false
    /// Whether statements are ended that take too long.
    let limitsStatements: Bool
    /// What to do where a statement takes longer than it may; nil where only the role's own settings limit it.
    var timeoutAdvice: String?
    private let isCancelled: @Sendable () -> Bool
    private var isOpen = true
    private var wasCancelled = false

    /// The oldest server that is served: its snapshots can be exported from standbys too, and it has identity columns.
    static let oldestVersion: Int32 = 100_000

    /// Connects, and sets everything that the text of values depends on.
    ///
    /// - Parameter database: another one than the address names.
    /// - Parameter login: a connection whose password is used: a file of passwords may hold one for its database only.
    /// - Throws: ``BackupError/Code/source`` or ``BackupError/Code/target``, with what the server or libpq says of it,
    ///   and never with anything secret.
    init(
        _ address: PostgreSQLAddress, for purpose: Purpose, timeouts: PostgreSQLTimeouts, database: String? = nil,
        login: PostgreSQLConnection? = nil, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(BackupError) {
        self.purpose = purpose
        self.address = address
        self.isCancelled = isCancelled
        limitsStatements = timeouts.statement != nil
        var changes: [(String, String)] = []
        if let password = login.flatMap({ PQpass($0.handle) }).map({ String(cString: $0) }), !password.isEmpty {
            changes.append(("password", password))
        }
        if let database { changes.append(("dbname", database)) }
        if let limit = timeouts.connect { changes.append(("connect_timeout", "\(max(2, limit.components.seconds))")) }
        handle = try PostgreSQLConnection.connect(address, purpose, changes)
        serverVersion = PQserverVersion(handle)
        // The default prints notices to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard serverVersion >= PostgreSQLConnection.oldestVersion else {
            throw BackupError(
                purpose.errorCode,
                "\(address.redacted) is PostgreSQL \(versionText): the oldest version that is served is 10")
        }
        isStandby = try text(sessionSettings(timeouts) + "; SELECT pg_is_in_recovery()") == "t"
    }

    deinit { close() }

    func close() {
        guard isOpen else { return }
        isOpen = false
        PQfinish(handle)
    }

    /// The server's version as it names itself, without what a distributor added.
    var versionText: String {
        let text = PQparameterStatus(handle, "server_version").map { String(cString: $0) } ?? "\(serverVersion)"
        return String(text.prefix { $0 != " " })
    }

    var serverEncoding: String { PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? "UTF8" }
    var databaseName: String { PQdb(handle).map { String(cString: $0) } ?? "" }
    var userName: String { PQuser(handle).map { String(cString: $0) } ?? "" }

    // MARK: Connecting

    /// - Parameter changes: what counts in place of what the address says.
    private static func connect(
        _ address: PostgreSQLAddress, _ purpose: Purpose, _ changes: [(String, String)]
    ) throws(BackupError) -> OpaquePointer {
        try checkSyntax(address)
        // Of two values the later counts: those of the address come behind the defaults.
        var options: [(String, String)] = []
        if getenv("PGCONNECT_TIMEOUT") == nil { options.append(("connect_timeout", "30")) }
        options.append(("dbname", address.connectionText))
        // Only the first name of a database may be a whole address.
        options += changes
        options.append(("fallback_application_name", "elder-backup"))
        let handle = withCStrings(options.map(\.0)) { names in
            withCStrings(options.map(\.1)) { values in PQconnectdbParams(names, values, 1) }
        }.flatMap { $0 }.flatMap { $0 }
        guard let handle else { throw BackupError(.storage, "out of memory while connecting to PostgreSQL") }
        guard PQstatus(handle) == CONNECTION_OK else {
            let error = PostgreSQLFailure.connecting(handle, address, purpose)
            PQfinish(handle)
            throw error
        }
        return handle
    }

    /// libpq's own words about a malformed address would repeat parts of it.
    private static func checkSyntax(_ address: PostgreSQLAddress) throws(BackupError) {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(address.connectionText, &message)
        if let message { PQfreemem(message) }
        guard let options else {
            throw BackupError(
                .usage,
                "the postgresql: address is malformed; give postgresql://USER@HOST:PORT/DATABASE?PARAMETER=VALUE, "
                    + "special characters in its parts percent-encoded")
        }
        PQconninfoFree(options)
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result? {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in buffer.baseAddress.map(body) }
    }

    /// What the text of values depends on is set the same for every backup and every restore.
    private func sessionSettings(_ timeouts: PostgreSQLTimeouts) -> String {
        // Without an encoding of its own the server holds bytes: they come and go as they are.
        let clientEncoding = serverEncoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8"
        var settings = [
            "client_encoding = '\(clientEncoding)'", "standard_conforming_strings = on", "datestyle = 'ISO, YMD'",
            "intervalstyle = 'postgres'", "timezone = 'UTC'", "extra_float_digits = 3", "bytea_output = 'hex'",
            "lc_monetary = 'C'", "xmloption = 'content'", "search_path = ''", "row_security = off",
            "synchronize_seqscans = off", "client_min_messages = 'warning'", "check_function_bodies = off",
            "default_tablespace = ''", "idle_in_transaction_session_timeout = 0",
            // Zero would wait for ever; what is meant is not to wait at all.
            "lock_timeout = \(max(1, timeouts.lock.milliseconds))",
            // What is set for the role is meant for other work.
            "statement_timeout = \(timeouts.statement.map { max(1, $0.milliseconds) } ?? 0)",
        ]
        if serverVersion >= 140_000 { settings.append("idle_session_timeout = 0") }
        if serverVersion >= 170_000 { settings.append("transaction_timeout = 0") }
        return settings.map { "SET \($0)" }.joined(separator: "; ")
    }

    // MARK: Statements

    /// Runs one or more statements and forgets their rows.
    func execute(_ sql: String) throws(BackupError) { _ = try query(sql) }

    /// Runs statements and returns the last one's rows.
    @discardableResult
    func query(_ sql: String) throws(BackupError) -> PostgreSQLResult {
        try send(sql)
        var last: PostgreSQLResult?
        var failure: BackupError?
        while let result = try nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = result
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw BackupError(.internal, "a COPY was begun where none was expected")
            default: failure = failure ?? error(of: result)
            }
        }
        if let failure { throw failure }
        guard let last else { throw lost() }
        return last
    }

    func text(_ sql: String) throws(BackupError) -> String? {
        let result = try query(sql)
        return result.rowCount > 0 ? result.text(0, 0) : nil
    }

    func send(_ sql: String) throws(BackupError) {
        guard isOpen else { throw BackupError(.internal, "a connection was used after it was closed") }
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
    }

    /// The next result of what was sent; nil behind the last one.
    func nextResult() throws(BackupError) -> PostgreSQLResult? {
        while PQisBusy(handle) == 1 {
            try wait(forWriting: false)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle).map { PostgreSQLResult($0) }
    }

    /// Waits until the server has sent something; asks now and then whether the run was cancelled.
    func wait(forWriting: Bool) throws(BackupError) {
        while true {
            if !wasCancelled, isCancelled() {
                wasCancelled = true
                cancel()
            }
            var descriptor = pollfd(
                fd: PQsocket(handle), events: Int16(POLLIN | (forWriting ? POLLOUT : 0)), revents: 0)
            let status = poll(&descriptor, 1, 200)
            if status > 0 { return }
            guard status == 0 || errno == EINTR else {
                throw .system(purpose.errorCode, "wait for", path: address.redacted, errno: errno)
            }
        }
    }

    /// Tells the server, over a connection of its own, to end what it is doing for this one.
    private func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        var words = [CChar](repeating: 0, count: 256)
        // Where it cannot be told, the connection is closed soon, and the server notices that.
        _ = PQcancel(request, &words, Int32(words.count))
        PQfreeCancel(request)
    }

    // MARK: Errors

    func error(of result: PostgreSQLResult) -> BackupError {
        // An error without a code is libpq's own: nothing came from the server.
        if result.field("C") == nil, PQstatus(handle) != CONNECTION_OK { return lost() }
        return wasCancelled
            ? BackupError(.cancelled, "cancelled; nothing was changed") : PostgreSQLFailure.error(result, self)
    }

    /// The connection does not answer any more.
    func lost() -> BackupError {
        wasCancelled
            ? BackupError(.cancelled, "cancelled; nothing was changed") : PostgreSQLFailure.lost(handle, self)
    }
}
