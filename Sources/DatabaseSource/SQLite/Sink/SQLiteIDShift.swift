internal import BackupCore

/// New ids for rows that join others: a constant is added to every id of a table, and to what refers to it.
///
/// Tables whose ids must stay in step (a key that is itself a reference, a column that refers to two tables) share one
/// constant.
final class SQLiteIDShift {
    private struct Reference {
        var column: String
        var parent: String
    }

    private let connection: SQLiteConnection
    /// The column that is the id, by table.
    private var keys: [String: String] = [:]
    private var references: [String: [Reference]] = [:]
    private var groups: [String: String] = [:]
    private var least: [String: Int64] = [:]
    private var greatest: [String: Int64] = [:]
    private var offsets: [String: Int64] = [:]
    private var isSettled = false

    var needsSurvey: Bool { !isSettled }

    init(tables: [SQLiteTargetTable], on connection: SQLiteConnection) throws(BackupError) {
        self.connection = connection
        for table in tables {
            guard let key = table.integerKey else { continue }
            keys[table.name] = key
            groups[table.name] = table.name
        }
        for table in tables { try readReferences(of: table) }
    }

    private func readReferences(of table: SQLiteTargetTable) throws(BackupError) {
        let statement = try connection.prepare(
            "SELECT \"from\",\"table\",\"to\" FROM pragma_foreign_key_list(?) ORDER BY id,seq")
        statement.bind(table.name, at: 1)
        while try statement.step() {
            let named = try statement.text(1) ?? ""
            guard let column = try statement.text(0).flatMap({ table.column($0)?.name }),
                let parent = keys.keys.first(where: { $0.lowercased() == named.lowercased() }),
                let key = keys[parent]
            else { continue }
            // Without a column it is the primary key that is referred to.
            let target = try statement.text(2) ?? key
            guard target.lowercased() == key.lowercased() else { continue }
            let others = references[table.name, default: []].filter { $0.column == column }
            for other in others { unite(other.parent, parent) }
            if keys[table.name] == column { unite(table.name, parent) }
            references[table.name, default: []].append(Reference(column: column, parent: parent))
        }
    }

    private func root(_ table: String) -> String {
        var current = table
        while let next = groups[current], next != current { current = next }
        return current
    }

    private func unite(_ first: String, _ second: String) {
        groups[root(first)] = root(second)
    }

    /// Notes the least and greatest id among a table's rows in the archive.
    func note(_ ids: ClosedRange<Int64>?, of table: String) {
        guard let ids, keys[table] != nil else { return }
        let group = root(table)
        least[group] = min(least[group] ?? ids.lowerBound, ids.lowerBound)
        greatest[group] = max(greatest[group] ?? ids.upperBound, ids.upperBound)
    }

    /// Chooses the constants: all new ids come above the target's greatest.
    func settle() throws(BackupError) {
        var highest: [String: Int64] = [:]
        let hasCounters = try connection.integer("SELECT 1 FROM sqlite_schema WHERE name='sqlite_sequence'") != nil
        for (table, key) in keys {
            let name = SQLiteConnection.quote(key)
            var top = try connection.integer("SELECT max(\(name)) FROM main.\(SQLiteConnection.quote(table))") ?? 0
            if hasCounters {
                let query = "SELECT max(seq) FROM main.sqlite_sequence WHERE name=?"
                top = max(top, try connection.integer(query, table) ?? 0)
            }
            highest[root(table)] = max(highest[root(table)] ?? 0, top)
        }
        for (group, lowest) in least {
            let (difference, first) = (highest[group] ?? 0).subtractingReportingOverflow(lowest)
            let (offset, second) = difference.addingReportingOverflow(1)
            let third = (greatest[group] ?? lowest).addingReportingOverflow(offset).overflow
            guard !first, !second, !third else {
                throw BackupError(
                    .target,
                    "the ids of table \"\(group)\" leave no room for new ones within 64 bits; restore without "
                        + "--regenerate-ids into an empty database")
            }
            offsets[group] = offset
        }
        isSettled = true
    }

    /// What is added to the integers of a column.
    func offset(of column: String, in table: String) -> Int64 {
        if keys[table] == column { return offsets[root(table)] ?? 0 }
        guard let reference = references[table]?.first(where: { $0.column == column }) else { return 0 }
        return offsets[root(reference.parent)] ?? 0
    }
}
