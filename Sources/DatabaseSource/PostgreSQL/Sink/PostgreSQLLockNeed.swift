package import BackupCore

/// How many locks one transaction will hold at its end. All of a server's sessions share one table of locks: who fills
/// it makes the others fail too.
package enum PostgreSQLLockNeed {
    /// For making everything that definitions define: a lower bound.
    ///
    /// - Parameters:
    ///   - scripts: pg_dump's definitions.
    ///   - tables: what is known of the tables' columns.
    package static func estimate(_ scripts: [String], tables: [TableDescription]) -> Int {
        let descriptions = Dictionary(tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var count = 0
        var others: Set<String> = []
        for script in scripts {
            for statement in PostgreSQLStatements(script) {
                count += relations(statement, descriptions)
                if let other = other(statement) { others.insert(other) }
            }
        }
        return count + others.count
    }

    /// The relations that a statement makes.
    private static func relations(_ statement: String, _ descriptions: [String: TableDescription]) -> Int {
        if case .index = PostgreSQLStatementShape(statement) { return 1 }
        var words = PostgreSQLWords(statement)
        switch words.next() {
        case .word("alter"): return statement.contains(" AS IDENTITY (") ? 1 : 0
        case .word("create"): break
        default: return 0
        }
        var kind = words.next()
        if kind == .word("unlogged") { kind = words.next() }
        switch kind {
        case .word("table"):
            guard let name = words.relation(), let description = descriptions[name] else { return 1 }
            return needsToast(description) ? 3 : 1
        case .word("materialized"): return 3
        case .word("view"), .word("sequence"), .word("foreign"): return 1
        default: return 0
        }
    }

    /// What else a statement locks by changing or describing it, under a name that is the same for the same thing.
    private static func other(_ statement: String) -> String? {
        var words = PostgreSQLWords(statement)
        let isComment: Bool
        switch words.next() {
        case .word("alter"): isComment = false
        case .word("comment"):
            isComment = true
            _ = words.next()
        default: return nil
        }
        guard case .word(let kind) = words.next() else { return nil }
        let ofRelations: Set<String> = [
            "table", "view", "materialized", "sequence", "index", "foreign", "column", "constraint", "type", "domain",
            "default", "trigger", "rule", "policy",
        ]
        guard !ofRelations.contains(kind), let end = statement.ranges(of: isComment ? " IS " : " OWNER TO ").last,
            let start = statement.firstRange(of: isComment ? "COMMENT ON " : "ALTER ")
        else { return nil }
        return String(statement[start.upperBound..<end.lowerBound])
    }

    // MARK: Long values

    /// The size from which a row may be moved out of its table, in bytes.
    private static let longestRow = 2032
    private static let fixed: [String: Int] = [
        "boolean": 1, "\"char\"": 1, "smallint": 2, "integer": 4, "oid": 4, "real": 4, "date": 4, "bigint": 8,
        "double precision": 8, "money": 8, "uuid": 16, "interval": 16, "point": 16, "box": 32, "name": 64,
    ]

    /// Whether a table of such columns has a second one for long values, with its index.
    static func needsToast(_ table: TableDescription) -> Bool {
        var size = 0
        var hasLong = false
        for column in table.columns {
            let type = column.type
            if let width = fixed[type] ?? (type.hasPrefix("time") && !type.hasSuffix("]") ? 12 : nil) {
                size += width
                continue
            }
            guard let longest = longest(type) else { return true }
            hasLong = true
            size += longest
        }
        return hasLong && size > longestRow
    }

    /// The most bytes that a value of a type with a limit takes; nil where there is none.
    private static func longest(_ type: String) -> Int? {
        guard !type.hasSuffix("]"), let open = type.firstIndex(of: "("), type.hasSuffix(")"),
            let limit = Int(type[type.index(after: open)...].prefix { $0.isASCII && $0.isNumber })
        else { return nil }
        let name = type[..<open]
        if name.hasPrefix("character") { return 4 * limit + 4 }
        if name.hasPrefix("numeric") { return limit / 2 + 12 }
        return name.hasPrefix("bit") ? limit / 8 + 9 : nil
    }
}

/// The room that a server has for locks.
struct PostgreSQLLockRoom {
    private let perTransaction: Int64
    private let transactions: Int64
    private let used: Int64

    /// (https://www.postgresql.org/docs/current/runtime-config-locks.html; the server counts its own processes too.)
    init(on connection: PostgreSQLConnection) throws(BackupError) {
        let senders = connection.serverVersion >= 120_000 ? "current_setting('max_wal_senders')::bigint" : "0"
        let result = try connection.query(
            """
            SELECT current_setting('max_locks_per_transaction'), current_setting('max_connections')::bigint + 1
                + coalesce(current_setting('autovacuum_worker_slots', true),
                    current_setting('autovacuum_max_workers'))::bigint
                + current_setting('max_worker_processes')::bigint + \(senders)
                + current_setting('max_prepared_transactions')::bigint,
                (SELECT count(DISTINCT (locktype, database, relation, page, tuple, virtualxid, transactionid::text,
                    classid, objid, objsubid)) FROM pg_locks WHERE NOT fastpath)
            """)
        perTransaction = result.integer(0, 0) ?? 64
        transactions = max(1, result.integer(0, 1) ?? 100)
        used = result.integer(0, 2) ?? 0
    }

    /// - Parameters:
    ///   - need: locks that one transaction will hold.
    ///   - otherwise: what can be done but to change the server.
    func check(_ need: Int, otherwise: String) throws(BackupError) {
        let room = perTransaction * transactions
        guard Int64(need) + used > room else { return }
        let enough = ((Int64(need) + used) * 11 / 10 / transactions / 16 + 1) * 16
        throw BackupError(
            .target,
            "one transaction would hold about \(need) locks, and the server has room for \(room), of which \(used) are "
                + "in use; set max_locks_per_transaction on the server from \(perTransaction) to \(enough) and restart "
                + "it, or \(otherwise)")
    }
}
