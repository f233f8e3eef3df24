internal import BackupCore

/// A dry run into tables that are there: rows go into temporary tables of the same make, so that nobody who uses the
/// real ones has to wait. Those are only read.
final class PostgreSQLRehearsal {
    private let connection: PostgreSQLConnection
    /// Whether the rows that are there stay, beside those of the archive.
    private let keepsRows: Bool
    /// By the table's number.
    private var copies: [UInt32: PostgreSQLTable] = [:]

    init(keepsRows: Bool, on connection: PostgreSQLConnection) {
        self.keepsRows = keepsRows
        self.connection = connection
    }

    /// Whether the role may make temporary tables.
    static func isPossible(on connection: PostgreSQLConnection) throws(BackupError) -> Bool {
        try connection.text("SELECT has_database_privilege(current_database(), 'TEMPORARY')") == "t"
    }

    /// The table with the same columns, constraints and indexes that takes the rows in its place.
    func copy(of table: PostgreSQLTable) throws(BackupError) -> PostgreSQLTable {
        if let known = copies[table.oid] { return known }
        var copy = table
        let name = "elder_backup_dry_\(table.oid)"
        copy.place = PostgreSQLName(schema: "pg_temp", name: name)
        do {
            try connection.execute(
                "CREATE TEMPORARY TABLE \(name) (LIKE \(table.name.quoted) INCLUDING ALL) ON COMMIT DROP")
            if keepsRows {
                let list = table.columns.map { PostgreSQLName.quote($0.name) }.joined(separator: ", ")
                let names = list.isEmpty ? "" : "(\(list)) OVERRIDING SYSTEM VALUE "
                try connection.execute(
                    "INSERT INTO pg_temp.\(name) \(names)SELECT \(list) FROM ONLY \(table.name.quoted)")
            }
        } catch {
            throw error.located("table \"\(table.name.archiveKey)\"")
        }
        copies[table.oid] = copy
        return copy
    }

    /// Checks what temporary tables do not check by themselves.
    func check() throws(BackupError) {
        try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        let partitions = try PostgreSQLPartitions(on: connection)
        for copy in copies.values.sorted(by: { $0.name < $1.name }) { try checkPartition(copy) }
        for reference in try PostgreSQLReference.all(on: connection) {
            guard let child = copies[reference.child] else { continue }
            try check(reference, child, partitions)
        }
    }

    private func checkPartition(_ copy: PostgreSQLTable) throws(BackupError) {
        guard let condition = try connection.text("SELECT pg_get_partition_constraintdef(\(copy.oid))"),
            !condition.isEmpty
        else { return }
        let count = try connection.query("SELECT count(*) FROM \(copy.quoted) WHERE (\(condition)) IS FALSE")
        guard let outside = count.integer(0, 0), outside > 0 else { return }
        throw BackupError(
            .target, "\(outside) rows do not belong into this partition (\(condition))",
            location: ["table \"\(copy.name.archiveKey)\""])
    }

    private func check(
        _ reference: PostgreSQLReference, _ child: PostgreSQLTable, _ partitions: PostgreSQLPartitions
    ) throws(BackupError) {
        let list = reference.columns.map { PostgreSQLName.quote($0.to) }.joined(separator: ", ")
        let tables = try PostgreSQLTableNames(of: partitions.leaves(of: reference.parent), on: connection).names
        // As it will be: the archive's rows where they are restored, else those that are there.
        let parents = tables.map { oid, name in "SELECT \(list) FROM \(copies[oid]?.quoted ?? "ONLY " + name.quoted)" }
        guard !parents.isEmpty else { return }
        let found = try connection.query(
            reference.danglingQuery(child: child.quoted, parent: "(\(parents.joined(separator: " UNION ALL ")))"))
        guard let count = found.integer(0, 0), count > 0 else { return }
        throw BackupError(
            .target,
            "\(count) rows would break the foreign key \"\(reference.name)\": what they refer to by "
                + "\(reference.columnList) is not in \"\(reference.parentName.archiveKey)\", the first is "
                + "\(found.value(0, 1)); restore both tables together",
            location: ["table \"\(reference.childName.archiveKey)\""])
    }
}

/// The names of tables by their numbers.
struct PostgreSQLTableNames {
    let names: [(UInt32, PostgreSQLName)]

    init(of tables: [UInt32], on connection: PostgreSQLConnection) throws(BackupError) {
        guard !tables.isEmpty else {
            names = []
            return
        }
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND c.oid IN (\(tables.map { "\($0)" }.joined(separator: ","))) ORDER BY 1
            """)
        names = (0..<result.rowCount).map { row in
            (
                UInt32(result.value(row, 0)) ?? 0,
                PostgreSQLName(schema: result.value(row, 1), name: result.value(row, 2))
            )
        }
    }
}
