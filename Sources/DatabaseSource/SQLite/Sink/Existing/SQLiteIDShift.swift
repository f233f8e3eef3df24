internal import BackupCore

/// New ids for rows that join others: a constant is added to every id of a table, and to what refers to it.
///
/// Columns that a declared foreign key connects hold the same ids, so they form one group with one constant; so do
/// keys that must stay in step. A constant lifts every value that the archive has in the group's columns above every
/// one that the target has there, in any table. So no row of the archive can come to refer to a row of the target or
/// the other way round, and a value without a parent stays without.
final class SQLiteIDShift {
    private let connection: SQLiteConnection
    private let references: [SQLiteReference]
    /// Columns in any reference.
    private let connected: Set<SQLiteColumnID>
    private var tables: [SQLiteName: SQLiteTargetTable] = [:]
    private var restored: [SQLiteTargetTable] = []
    private var surveys: [SQLiteColumnID: SQLiteColumnSurvey] = [:]
    private var groups: [SQLiteColumnID: SQLiteColumnID] = [:]
    /// The groups that are given new ids.
    private var shifted: Set<SQLiteColumnID> = []
    private var ranges: [SQLiteColumnID: ClosedRange<Int64>] = [:]
    /// By group.
    private var highest: [SQLiteColumnID: Int64] = [:]
    private var offsets: [SQLiteColumnID: Int64] = [:]
    /// The greatest number in columns of the target that were asked for.
    private var known: [SQLiteColumnID: Int64?] = [:]
    private(set) var needsSurvey = true

    init(on connection: SQLiteConnection) throws(BackupError) {
        self.connection = connection
        references = try SQLiteReference.all(on: connection)
        var connected: Set<SQLiteColumnID> = []
        for reference in references {
            for index in reference.columns.indices {
                connected.insert(reference.from(index))
                connected.insert(reference.to(index))
            }
        }
        self.connected = connected
    }

    /// Whether a column may get new values, so that the survey must look at it.
    func concerns(_ column: String, of table: SQLiteTargetTable) -> Bool {
        table.integerKey.map { SQLiteName($0) == SQLiteName(column) } ?? false
            || connected.contains(SQLiteColumnID(table.name, column))
    }

    /// Notes what the survey found in a column of a restored table.
    func note(_ survey: SQLiteColumnSurvey, of column: String, in table: SQLiteTargetTable) {
        surveys[SQLiteColumnID(table.name, column)] = survey
    }

    /// What is added to the whole numbers of a column.
    func offset(of column: String, in table: String) -> Int64 {
        offsets[root(SQLiteColumnID(table, column))] ?? 0
    }

    /// Chooses the constants, once the survey is over.
    ///
    /// - Parameters:
    ///   - restored: the tables that get rows.
    ///   - held: the tables that the archive holds rows of; nil where only the rows tell.
    func settle(_ restored: [SQLiteTargetTable], held: [String]?) throws(BackupError) {
        self.restored = restored.sorted { $0.name < $1.name }
        for table in restored { tables[SQLiteName(table.name)] = table }
        let names = Set(tables.keys)
        var sources: [SQLiteColumnID] = restored.compactMap { table in
            table.integerKey.map { SQLiteColumnID(table.name, $0) }
        }
        for reference in references where names.contains(SQLiteName(reference.child)) {
            let hasParent = names.contains(SQLiteName(reference.parent))
            if !hasParent { try checkParent(reference, isHeld: held.map { contains($0, reference.parent) }) }
            for index in reference.columns.indices {
                if hasParent { unite(reference.from(index), reference.to(index)) }
                // Ids that lead nowhere in the archive must not lead to somebody else's row.
                if !hasParent, try isID(reference.to(index)) { sources.append(reference.from(index)) }
            }
        }
        shifted = Set(sources.map(root))
        try readSurveys()
        try readTarget(sources)
        try chooseOffsets()
        needsSurvey = false
    }

    private func contains(_ names: [String], _ name: String) -> Bool {
        names.contains { SQLiteName($0) == SQLiteName(name) }
    }

    // MARK: Groups

    private func root(_ column: SQLiteColumnID) -> SQLiteColumnID {
        var current = column
        while let next = groups[current] { current = next }
        return current
    }

    private func unite(_ first: SQLiteColumnID, _ second: SQLiteColumnID) {
        let (child, parent) = (root(first), root(second))
        if child != parent { groups[child] = parent }
    }

    /// Whether a column holds ids: an integer key, or by declared references the value of one.
    private func isID(_ column: SQLiteColumnID) throws(BackupError) -> Bool {
        var seen: Set<SQLiteColumnID> = []
        var waiting = [column]
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted else { continue }
            if let key = try table(next.table)?.integerKey, SQLiteName(key) == next.column { return true }
            for reference in references where SQLiteName(reference.child) == next.table {
                for index in reference.columns.indices where reference.from(index) == next {
                    waiting.append(reference.to(index))
                }
            }
        }
        return false
    }

    private func table(_ name: SQLiteName) throws(BackupError) -> SQLiteTargetTable? {
        if let known = tables[name] { return known }
        let stored = try connection.text(
            "SELECT name FROM main.sqlite_schema WHERE type='table' AND rootpage>0 AND name=? COLLATE NOCASE", name.text
        )
        guard let stored else { return nil }
        return try SQLiteTargetTable(stored, on: connection)
    }

    // MARK: What is refused

    /// The target's own rows have the ids that such a reference names, and they are others.
    private func checkParent(_ reference: SQLiteReference, isHeld: Bool?) throws(BackupError) {
        var areIDs = false
        for index in reference.columns.indices {
            // Where one of its columns is always null, a key refers to nothing.
            guard surveys[reference.from(index)]?.hasValues ?? false else { return }
            if try isID(reference.to(index)) { areIDs = true }
        }
        guard areIDs else { return }
        let columns = reference.columns.map { "\"\($0.from)\"" }.joined(separator: ", ")
        let advice =
            isHeld == true
            ? "add \"\(reference.parent)\" to --tables"
            : "the archive holds no rows of \"\(reference.parent)\"; take them along when backing up"
        throw BackupError(
            .target,
            "table \"\(reference.child)\" refers to \"\(reference.parent)\" by \(columns), and \"\(reference.parent)\" "
                + "is not restored, so that its ids would mean other rows here: \(advice), or restore without "
                + "--regenerate-ids")
    }

    private func readSurveys() throws(BackupError) {
        for table in restored {
            for column in table.columns {
                let id = SQLiteColumnID(table.name, column.name)
                let group = root(id)
                guard shifted.contains(group) else { continue }
                guard !column.isGenerated else {
                    throw BackupError(
                        .target,
                        "column \"\(column.name)\" of table \"\(table.name)\" is computed and refers to rows that get "
                            + "new ids, which it cannot follow; restore without --regenerate-ids")
                }
                guard let survey = surveys[id] else { continue }
                guard survey.others == 0 else {
                    throw BackupError(
                        .target,
                        "column \"\(column.name)\" refers to rows that get new ids, and \(survey.others) of its values "
                            + "are no whole number that could follow (the first is named here); restore without "
                            + "--regenerate-ids", location: survey.firstOther)
                }
                guard let range = survey.range else { continue }
                let known = ranges[group] ?? range
                ranges[group] =
                    min(known.lowerBound, range.lowerBound)...max(known.upperBound, range.upperBound)
            }
        }
    }

    // MARK: Constants

    /// Finds the greatest number of each group in the target. Tables that are not restored count too: what refers to
    /// a missing row there must not come to mean a new one.
    private func readTarget(_ sources: [SQLiteColumnID]) throws(BackupError) {
        for source in sources { highest[root(source)] = max(highest[root(source)] ?? 0, try greatest(source) ?? 0) }
        for reference in references {
            for index in reference.columns.indices {
                let ends = [reference.from(index), reference.to(index)]
                for group in ends.map(root) where shifted.contains(group) {
                    for end in ends { highest[group] = max(highest[group] ?? 0, try greatest(end) ?? 0) }
                }
            }
        }
    }

    private func greatest(_ id: SQLiteColumnID) throws(BackupError) -> Int64? {
        if let found = known[id] { return found }
        guard let table = try table(id.table), let column = table.column(id.column.text) else { return nil }
        let name = "t.\(SQLiteConnection.quote(column.name))"
        let isKey = table.integerKey == column.name
        let value =
            isKey
            ? name
            : """
            CASE typeof(\(name)) WHEN 'blob' THEN NULL
            WHEN 'real' THEN CASE WHEN abs(\(name))<9e15 THEN CAST(\(name) AS INTEGER) END
            ELSE CAST(\(name) AS INTEGER) END
            """
        var top = try connection.integer("SELECT max(\(value)) FROM main.\(SQLiteConnection.quote(table.name)) AS t")
        if isKey, try connection.integer("SELECT 1 FROM main.sqlite_schema WHERE name='sqlite_sequence'") != nil {
            let query = "SELECT max(seq) FROM main.sqlite_sequence WHERE name=?"
            if let counter = try connection.integer(query, table.name) { top = max(top ?? 0, counter) }
        }
        known[id] = .some(top)
        return top
    }

    private func chooseOffsets() throws(BackupError) {
        for (group, range) in ranges {
            let (difference, first) = (highest[group] ?? 0).subtractingReportingOverflow(range.lowerBound)
            let (offset, second) = difference.addingReportingOverflow(1)
            let third = range.upperBound.addingReportingOverflow(offset).overflow
            guard !first, !second, !third else {
                throw BackupError(
                    .target,
                    "the ids in column \"\(group.column)\" of table \"\(group.table)\" and in what refers to it leave "
                        + "no room for new ones within 64 bits; restore without --regenerate-ids into an empty database"
                )
            }
            offsets[group] = offset
        }
    }

    // MARK: References without a parent

    /// What of the archive's rows refers to nothing, in words; nil where the fault is another's.
    func dangling(_ pair: SQLiteForeignKeyPair) throws(BackupError) -> String? {
        for reference in references
        where SQLiteName(reference.child) == pair.child && SQLiteName(reference.parent) == pair.parent {
            guard try table(SQLiteName(reference.parent)) != nil,
                let index = reference.columns.indices.first(where: { shifted.contains(root(reference.from($0))) })
            else { continue }
            let column = reference.columns[index].from
            let group = root(reference.from(index))
            let name = { "c.\(SQLiteConnection.quote($0))" }
            let isWhole = reference.columns.map { "\(name($0.from)) IS NOT NULL" }.joined(separator: " AND ")
            let match = reference.columns.map { "p.\(SQLiteConnection.quote($0.to))=\(name($0.from))" }
            let statement = try connection.prepare(
                """
                SELECT min(CAST(\(name(column)) AS INTEGER)), count(*)
                FROM main.\(SQLiteConnection.quote(reference.child)) AS c
                WHERE \(isWhole) AND CAST(\(name(column)) AS INTEGER)>?1 AND NOT EXISTS
                (SELECT 1 FROM main.\(SQLiteConnection.quote(reference.parent)) AS p
                WHERE \(match.joined(separator: " AND ")))
                """)
            statement.bind(highest[group] ?? 0, at: 1)
            guard try statement.step(), statement.integer(1) > 0 else { continue }
            let value = statement.integer(0) - (offsets[group] ?? 0)
            return "\(statement.integer(1)) rows of table \"\(pair.child)\" refer by \"\(column)\" to rows of "
                + "\"\(pair.parent)\" that the archive does not hold, the first by the value \(value) (as the archive has it); remove them "
                + "at the source, or restore without --regenerate-ids"
        }
        return nil
    }
}
