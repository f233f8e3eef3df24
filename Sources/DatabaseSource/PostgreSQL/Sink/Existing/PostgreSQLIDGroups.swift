internal import BackupCore

/// A column of a table in a target.
struct PostgreSQLColumnID: Hashable {
    var table: UInt32
    var column: String
}

/// Columns that hold the same ids, because declared foreign keys connect them, or because one is that of a partition.
struct PostgreSQLIDGroups {
    private var parents: [PostgreSQLColumnID: PostgreSQLColumnID] = [:]
    private(set) var members: Set<PostgreSQLColumnID> = []

    func root(_ column: PostgreSQLColumnID) -> PostgreSQLColumnID {
        var current = column
        while let next = parents[current] { current = next }
        return current
    }

    mutating func add(_ column: PostgreSQLColumnID) { members.insert(column) }

    mutating func unite(_ first: PostgreSQLColumnID, _ second: PostgreSQLColumnID) {
        members.formUnion([first, second])
        let (child, parent) = (root(first), root(second))
        if child != parent { parents[child] = parent }
    }

    /// The columns of a group, in a fixed order.
    func columns(of group: PostgreSQLColumnID) -> [PostgreSQLColumnID] {
        members.filter { root($0) == group }.sorted { ($0.table, $0.column) < ($1.table, $1.column) }
    }
}

/// How the ids of a target's tables come about.
struct PostgreSQLKeys {
    struct Column {
        var name: String
        /// 20, 21 and 23 are integers, 2950 is uuid.
        var type: UInt32
        /// Whether a sequence gives its values.
        var isGiven: Bool
        /// The last value that the sequence gave.
        var lastValue: Int64
        var isGenerated: Bool
        var isKey: Bool

        /// The greatest value that fits; nil for what is no integer.
        var largest: Int64? {
            switch type {
            case 20: .max
            case 21: Int64(Int16.max)
            case 23: Int64(Int32.max)
            default: nil
            }
        }
    }

    private var columns: [UInt32: [Column]] = [:]

    init(of tables: Set<UInt32>, on connection: PostgreSQLConnection) throws(BackupError) {
        guard !tables.isEmpty else { return }
        let generated = connection.serverVersion >= 120_000 ? "a.attgenerated <> ''" : "false"
        let result = try connection.query(
            """
            WITH RECURSIVE base(oid, below) AS (
                SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
                UNION ALL
                SELECT t.oid, b.below FROM pg_type t JOIN base b ON b.oid = t.typbasetype WHERE t.typtype = 'd'
            )
            SELECT a.attrelid, a.attname, b.below, s.oid IS NOT NULL, coalesce(pg_sequence_last_value(s.oid), 0),
                \(generated), EXISTS (SELECT 1 FROM pg_index i
                    WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))
            FROM pg_attribute a JOIN base b ON b.oid = a.atttypid
            LEFT JOIN LATERAL (
                SELECT q.oid FROM pg_class q JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = q.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                    AND d.deptype = 'i'
                WHERE q.relkind = 'S'
                UNION ALL
                SELECT q.oid FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass
                    AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
                JOIN pg_class q ON q.oid = d.refobjid AND q.relkind = 'S'
                WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
                LIMIT 1
            ) s ON true
            WHERE a.attnum > 0 AND NOT a.attisdropped
              AND a.attrelid IN (\(tables.sorted().map { "\($0)" }.joined(separator: ",")))
            ORDER BY a.attrelid, a.attnum
            """)
        for row in 0..<result.rowCount {
            columns[UInt32(result.value(row, 0)) ?? 0, default: []].append(
                Column(
                    name: result.value(row, 1), type: UInt32(result.value(row, 2)) ?? 0, isGiven: result.flag(row, 3),
                    lastValue: result.integer(row, 4) ?? 0, isGenerated: result.flag(row, 5),
                    isKey: result.flag(row, 6)))
        }
    }

    func columns(of table: UInt32) -> [Column] { columns[table] ?? [] }

    func column(_ id: PostgreSQLColumnID) -> Column? {
        columns[id.table]?.first { $0.name.isExactly(id.column) }
    }

    /// Whether a column holds ids that are made and mean nothing: numbers that a sequence gives, or uuids.
    func isMade(_ column: Column) -> Bool {
        column.isKey && (column.type == 2950 || column.largest != nil && column.isGiven)
    }
}
