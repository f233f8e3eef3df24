internal import BackupCore

/// Tables that were there before a restore, made ready to take rows in any order, and put back as they were.
final class PostgreSQLExistingTables {
    private let tables: [PostgreSQLTable]
    private let clears: Bool
    private let connection: PostgreSQLConnection
    /// What puts everything back, in order.
    private var undo: [String] = []

    init(_ tables: [PostgreSQLTable], clears: Bool, on connection: PostgreSQLConnection) {
        self.tables = tables
        self.clears = clears
        self.connection = connection
    }

    private var numbers: String { tables.map { "\($0.oid)" }.joined(separator: ",") }

    /// How many locks one transaction holds that writes to all of them: on tables, indexes, and long values.
    func lockNeed() throws(BackupError) -> Int {
        guard !tables.isEmpty else { return 0 }
        let count = try connection.query(
            """
            SELECT count(*) + sum((SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid))
                + 2 * count(*) FILTER (WHERE c.reltoastrelid <> 0)
            FROM pg_class c WHERE c.oid IN (\(numbers))
            """)
        return Int(count.integer(0, 0) ?? 0)
    }

    /// Refuses what the tables cannot take, without locking anybody out.
    func check(mayHoldRows: Bool) throws(BackupError) {
        guard !tables.isEmpty else { return }
        if clears {
            try refuseReferences()
        } else if !mayHoldRows {
            try refuseRows()
        }
    }

    /// - Parameter mayHoldRows: whether tables that hold rows are let through.
    func begin(mayHoldRows: Bool) throws(BackupError) {
        guard !tables.isEmpty else { return }
        for start in stride(from: 0, to: tables.count, by: 200) {
            let names = tables[start..<min(start + 200, tables.count)].map { "ONLY " + $0.name.quoted }
            try connection.execute(
                "LOCK TABLE \(names.joined(separator: ", ")) IN SHARE ROW EXCLUSIVE MODE")
        }
        try check(mayHoldRows: mayHoldRows)
        try disableTriggers()
        if clears { try clear() }
        try deferConstraints()
    }

    private func refuseRows() throws(BackupError) {
        var occupied: [String] = []
        for table in tables where try connection.text("SELECT 1 FROM ONLY \(table.name.quoted) LIMIT 1") != nil {
            occupied.append("\"\(table.name.archiveKey)\"")
        }
        guard occupied.isEmpty else {
            let names = occupied.prefix(5).joined(separator: ", ") + (occupied.count > 5 ? ", …" : "")
            throw BackupError(
                .target,
                "\(connection.address.redacted) holds rows already, in \(names); use --clear-existing to replace them, or "
                    + "restore into an empty database")
        }
    }

    /// A table that is referred to cannot be emptied alone, whatever rows the others hold.
    private func refuseReferences() throws(BackupError) {
        let chosen = Set(tables.map(\.oid))
        let partitions = try PostgreSQLPartitions(on: connection)
        for reference in try PostgreSQLReference.all(on: connection) {
            guard !partitions.leaves(of: reference.child).allSatisfy(chosen.contains),
                partitions.leaves(of: reference.parent).contains(where: chosen.contains)
            else { continue }
            let child = reference.childName.archiveKey
            throw BackupError(
                .target,
                "--clear-existing would empty \"\(reference.parentName.archiveKey)\", to which \"\(child)\" refers by "
                    + "\(reference.columnList), and \"\(child)\" is not restored; add it to --tables, or drop its "
                    + "foreign key \"\(reference.name)\" first")
        }
    }

    /// One statement for all: tables that refer to each other can be emptied together only.
    private func clear() throws(BackupError) {
        let names = tables.map { "ONLY " + $0.name.quoted }.joined(separator: ", ")
        try connection.execute("TRUNCATE TABLE \(names)")
    }

    /// What triggers did when the rows were new is in the archive's rows.
    private func disableTriggers() throws(BackupError) {
        let result = try connection.query(
            """
            SELECT n.nspname, c.relname, t.tgname, t.tgenabled FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid IN (\(numbers)) ORDER BY 1, 2, 3
            """)
        for row in 0..<result.rowCount {
            let table = PostgreSQLName(schema: result.value(row, 0), name: result.value(row, 1)).quoted
            let trigger = PostgreSQLName.quote(result.value(row, 2))
            try connection.execute("ALTER TABLE ONLY \(table) DISABLE TRIGGER \(trigger)")
            let mode =
                switch result.value(row, 3) {
                case "R": "ENABLE REPLICA TRIGGER"
                case "A": "ENABLE ALWAYS TRIGGER"
                default: "ENABLE TRIGGER"
                }
            undo.append("ALTER TABLE ONLY \(table) \(mode) \(trigger)")
        }
    }

    /// Foreign keys are checked when all rows are there: tables may refer to each other in a circle.
    private func deferConstraints() throws(BackupError) {
        let isOwn = connection.serverVersion >= 110_000 ? "k.conparentid = 0" : "true"
        let result = try connection.query(
            """
            WITH RECURSIVE chosen(oid) AS (
                SELECT oid FROM pg_class WHERE oid IN (\(numbers))
                UNION
                SELECT i.inhparent FROM chosen x JOIN pg_inherits i ON i.inhrelid = x.oid
            )
            SELECT n.nspname, c.relname, k.conname, k.condeferrable FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype = 'f' AND NOT k.condeferred AND \(isOwn) AND k.conrelid IN (SELECT oid FROM chosen)
            ORDER BY 1, 2, 3
            """)
        for row in 0..<result.rowCount {
            let table = PostgreSQLName(schema: result.value(row, 0), name: result.value(row, 1)).quoted
            let alter = "ALTER TABLE \(table) ALTER CONSTRAINT \(PostgreSQLName.quote(result.value(row, 2)))"
            try connection.execute("\(alter) DEFERRABLE INITIALLY DEFERRED")
            undo.append(
                result.flag(row, 3) ? "\(alter) DEFERRABLE INITIALLY IMMEDIATE" : "\(alter) NOT DEFERRABLE")
        }
        try connection.execute("SET CONSTRAINTS ALL DEFERRED")
    }

    /// Checks what was put off.
    func checkConstraints() throws(BackupError) { try connection.execute("SET CONSTRAINTS ALL IMMEDIATE") }

    func putBack() throws(BackupError) {
        for statement in undo { try connection.execute(statement) }
        undo = []
    }
}
