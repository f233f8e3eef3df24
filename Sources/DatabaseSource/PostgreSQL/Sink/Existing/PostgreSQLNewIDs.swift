internal import BackupCore

/// New ids for rows that join others: rows wait in temporary tables until all are there, and get their ids on the way
/// into the tables.
///
/// Columns that declared foreign keys connect hold the same ids, so they form one group. To the numbers of a group a
/// constant is added that lifts them above all that the target has there, so that no row of the archive can come to refer
/// to a row of the target or the other way round; a uuid becomes another one that depends on it and on this restore.
final class PostgreSQLNewIDs {
    private struct Waiting {
        var table: PostgreSQLTable
        var columns: [String]
        /// Where the rows wait.
        var relation: String
    }

    /// What becomes of the values of a group.
    private enum Change {
        case add(Int64)
        case uuid
    }

    private let connection: PostgreSQLConnection
    private let tables: [UInt32: PostgreSQLTable]
    private let references: [PostgreSQLReference]
    private let partitions: PostgreSQLPartitions
    private let keys: PostgreSQLKeys
    private var groups = PostgreSQLIDGroups()
    /// The groups that hold made ids.
    private var made: Set<PostgreSQLColumnID> = []
    private var waiting: [UInt32: Waiting] = [:]
    private var changes: [PostgreSQLColumnID: Change] = [:]
    private let salt: String

    private static let advice = "restore without --regenerate-ids"

    /// - Parameter tables: all of the target.
    init(among tables: [PostgreSQLTable], on connection: PostgreSQLConnection) throws(BackupError) {
        self.connection = connection
        self.tables = Dictionary(tables.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        references = try PostgreSQLReference.all(on: connection)
        partitions = try PostgreSQLPartitions(on: connection)
        keys = try PostgreSQLKeys(of: Set(self.tables.keys).union(partitions.parents.values), on: connection)
        salt = String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
        unite()
    }

    private func unite() {
        for reference in references {
            for column in reference.columns {
                groups.unite(
                    PostgreSQLColumnID(table: reference.child, column: column.from),
                    PostgreSQLColumnID(table: reference.parent, column: column.to))
            }
        }
        for (child, parent) in partitions.parents {
            for column in keys.columns(of: parent) {
                groups.unite(
                    PostgreSQLColumnID(table: child, column: column.name),
                    PostgreSQLColumnID(table: parent, column: column.name))
            }
        }
        for table in Set(tables.keys).union(partitions.parents.values) {
            for column in keys.columns(of: table) where keys.isMade(column) {
                let id = PostgreSQLColumnID(table: table, column: column.name)
                groups.add(id)
                made.insert(groups.root(id))
            }
        }
    }

    // MARK: The rows

    /// Lets a table's rows wait.
    ///
    /// - Parameter columns: those that the rows have.
    /// - Returns: the statement that takes the rows.
    func wait(for table: PostgreSQLTable, columns: [String]) throws(BackupError) -> String {
        let list = columns.map { PostgreSQLName.quote($0) }.joined(separator: ", ")
        let relation = "pg_temp.elder_backup_rows_\(table.oid)"
        try connection.execute(
            "CREATE TEMPORARY TABLE elder_backup_rows_\(table.oid) ON COMMIT DROP AS SELECT \(list) "
                + "FROM ONLY \(table.name.quoted) WITH NO DATA")
        waiting[table.oid] = Waiting(table: table, columns: columns, relation: relation)
        return "COPY \(relation)\(columns.isEmpty ? "" : " (\(list))") FROM STDIN"
    }

    /// Gives all rows their ids and puts them into their tables.
    func insert() throws(BackupError) {
        try refuseOtherParents()
        for group in made.sorted(by: { ($0.table, $0.column) < ($1.table, $1.column) }) { try settle(group) }
        for reference in references { try refuseDangling(reference) }
        for (_, rows) in waiting.sorted(by: { $0.value.table.name < $1.value.table.name }) { try insert(rows) }
    }

    private func insert(_ rows: Waiting) throws(BackupError) {
        let list = rows.columns.map { PostgreSQLName.quote($0) }.joined(separator: ", ")
        let values = rows.columns.map { value($0, of: rows.table.oid) }.joined(separator: ", ")
        let target = (rows.table.place ?? rows.table.name).quoted
        do throws(BackupError) {
            // Without columns, rows come from nothing but their number.
            let names = rows.columns.isEmpty ? "" : "(\(list)) OVERRIDING SYSTEM VALUE "
            let result = try connection.query("INSERT INTO \(target) \(names)SELECT \(values) FROM \(rows.relation)")
            let count = try connection.query("SELECT count(*) FROM \(rows.relation)").integer(0, 0)
            guard result.affectedRows == count else {
                throw BackupError(
                    .target,
                    "the server took \(result.affectedRows ?? 0) of \(count ?? 0) rows: something on the table drops rows"
                )
            }
        } catch {
            throw explained(error, rows).located("table \"\(rows.table.name.archiveKey)\"")
        }
    }

    /// A key that means something cannot be changed, and the target may have a row with the same.
    private func explained(_ error: BackupError, _ rows: Waiting) -> BackupError {
        guard error.message.contains("[23505]") else { return error }
        let key = keys.columns(of: rows.table.oid).filter(\.isKey)
        let isKept = !key.contains { change(of: $0.name, in: rows.table.oid) != nil }
        guard isKept, !key.isEmpty else { return error }
        var error = error
        let names = key.map { "\"\($0.name)\"" }.joined(separator: ", ")
        error.message +=
            "; its key (\(names)) is neither a number that a sequence gives nor a uuid, so that it stays as it is: "
            + "leave the table out with --tables"
        return error
    }

    private func change(of column: String, in table: UInt32) -> Change? {
        changes[groups.root(PostgreSQLColumnID(table: table, column: column))]
    }

    /// A column's value as the row gets it.
    private func value(_ column: String, of table: UInt32) -> String {
        let name = PostgreSQLName.quote(column)
        switch change(of: column, in: table) {
        case .add(let offset): return offset == 0 ? name : "\(name) + (\(offset))"
        case .uuid:
            let text = "\(PostgreSQLName.literal(salt)) || \(name)::text"
            let digits =
                connection.serverVersion >= 110_000
                ? "substr(encode(sha256(convert_to(\(text), 'UTF8')), 'hex'), 1, 32)" : "md5(\(text))"
            // Marked as a random one (RFC 9562, section 5.4).
            return "overlay(overlay(\(digits) placing '4' from 13 for 1) placing '8' from 17 for 1)::uuid"
        case nil: return name
        }
    }

    // MARK: The groups

    private func isWaiting(_ table: UInt32) -> Bool { partitions.leaves(of: table).contains { waiting[$0] != nil } }

    /// Ids of rows that are not restored would mean other rows here.
    private func refuseOtherParents() throws(BackupError) {
        for reference in references {
            guard let rows = waiting[reference.child], !isWaiting(reference.parent) else { continue }
            let isOfIDs = reference.columns.contains {
                made.contains(groups.root(PostgreSQLColumnID(table: reference.parent, column: $0.to)))
            }
            let isHeld = reference.columns.allSatisfy { column in rows.columns.contains { $0.isExactly(column.from) } }
            guard isOfIDs, isHeld else { continue }
            let condition = reference.columns.map { PostgreSQLName.quote($0.from) + " IS NOT NULL" }
            let query = "SELECT 1 FROM \(rows.relation) WHERE \(condition.joined(separator: " AND ")) LIMIT 1"
            guard try connection.text(query) != nil else { continue }
            let parent = reference.parentName.archiveKey
            throw BackupError(
                .target,
                "table \"\(reference.childName.archiveKey)\" refers to \"\(parent)\" by \(reference.columnList), and "
                    + "\"\(parent)\" is not restored, so that its ids would mean other rows here: restore \"\(parent)\" "
                    + "too, or \(PostgreSQLNewIDs.advice)")
        }
    }

    /// Chooses what becomes of a group's values.
    private func settle(_ group: PostgreSQLColumnID) throws(BackupError) {
        let columns = groups.columns(of: group)
        var range: ClosedRange<Int64>?
        var holdsUUIDs = false
        for id in columns {
            guard let rows = waiting[id.table], let column = keys.column(id) else { continue }
            try refuseOthers(column, rows)
            guard rows.columns.contains(where: { $0.isExactly(id.column) }) else { continue }
            guard column.largest != nil else {
                holdsUUIDs = true
                continue
            }
            let name = PostgreSQLName.quote(id.column)
            let found = try connection.query("SELECT min(\(name)), max(\(name)) FROM \(rows.relation)")
            guard let low = found.integer(0, 0), let high = found.integer(0, 1) else { continue }
            range = min(range?.lowerBound ?? low, low)...max(range?.upperBound ?? high, high)
        }
        if holdsUUIDs { changes[groups.root(group)] = .uuid }
        guard let range else { return }
        changes[groups.root(group)] = .add(try offset(for: range, columns))
    }

    private func refuseOthers(_ column: PostgreSQLKeys.Column, _ rows: Waiting) throws(BackupError) {
        let place = "column \"\(column.name)\" of table \"\(rows.table.name.archiveKey)\""
        guard !column.isGenerated else {
            throw BackupError(
                .target,
                "\(place) is computed and refers to rows that get new ids, which it cannot follow; "
                    + PostgreSQLNewIDs.advice)
        }
        guard column.largest != nil || column.type == 2950 else {
            throw BackupError(
                .target,
                "\(place) refers to rows that get new ids, and is neither an integer nor a uuid; "
                    + PostgreSQLNewIDs.advice)
        }
    }

    /// What lifts the archive's numbers above the target's, in whatever table: what refers to a missing row must not come
    /// to mean a new one.
    private func offset(
        for range: ClosedRange<Int64>, _ columns: [PostgreSQLColumnID]
    ) throws(BackupError) -> Int64 {
        var highest: Int64 = 0
        for id in columns {
            guard let column = keys.column(id), column.largest != nil else { continue }
            highest = max(highest, column.lastValue)
            guard let table = tables[id.table] else { continue }
            let name = PostgreSQLName.quote(id.column)
            let found = try connection.query("SELECT max(\(name)) FROM ONLY \(table.name.quoted)")
            highest = max(highest, found.integer(0, 0) ?? 0)
        }
        let (difference, first) = highest.subtractingReportingOverflow(range.lowerBound)
        let (offset, second) = difference.addingReportingOverflow(1)
        let (last, third) = range.upperBound.addingReportingOverflow(offset)
        for id in columns {
            guard let rows = waiting[id.table], let largest = keys.column(id)?.largest else { continue }
            guard !first, !second, !third, last <= largest else {
                throw BackupError(
                    .target,
                    "the ids in column \"\(id.column)\" of table \"\(rows.table.name.archiveKey)\" leave no room for new "
                        + "ones behind \(highest) within its type; restore into an empty database")
            }
        }
        return offset
    }

    /// What refers to nothing in the archive would refer to nothing here, under a number that nobody knows.
    private func refuseDangling(_ reference: PostgreSQLReference) throws(BackupError) {
        guard let rows = waiting[reference.child], isWaiting(reference.parent),
            reference.columns.contains(where: { change(of: $0.from, in: reference.child) != nil }),
            reference.columns.allSatisfy({ column in rows.columns.contains { $0.isExactly(column.from) } })
        else { return }
        let list = reference.columns.map { PostgreSQLName.quote($0.to) }.joined(separator: ", ")
        let parents = partitions.leaves(of: reference.parent).compactMap { waiting[$0] }
            .map { "SELECT \(list) FROM \($0.relation)" }.joined(separator: " UNION ALL ")
        let found = try connection.query(reference.danglingQuery(child: rows.relation, parent: "(\(parents))"))
        guard let count = found.integer(0, 0), count > 0 else { return }
        throw BackupError(
            .target,
            "\(count) rows of table \"\(reference.childName.archiveKey)\" refer by \(reference.columnList) to rows of "
                + "\"\(reference.parentName.archiveKey)\" that the archive does not hold, the first by the value "
                + "\(found.value(0, 1)) (as the archive has it); remove them at the source, or \(PostgreSQLNewIDs.advice)"
        )
    }
}
