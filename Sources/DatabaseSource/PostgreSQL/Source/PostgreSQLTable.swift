internal import BackupCore

/// A column whose values are stored.
struct PostgreSQLColumn: Sendable {
    var name: String
    /// The type as PostgreSQL writes it, with its schema unless that is `pg_catalog`.
    var type: String
    /// The type's number; of a domain, that of the type below it.
    var baseType: UInt32

    /// How the values are written. The numbers are fixed: https://www.postgresql.org/docs/current/catalog-pg-type.html
    var form: CopyTextEncoder.Form {
        switch baseType {
        case 16: .boolean
        case 17: .bytes
        case 20, 21, 23, 26: .number
        case 114, 3802: .json
        case 700, 701: .real
        default: .text
        }
    }

    var encoding: ColumnEncoding {
        switch form {
        case .boolean: .boolean
        case .bytes: .bytes
        case .json: .json
        case .number, .real, .text, .secret: .value
        }
    }
}

/// A table that holds rows of its own.
struct PostgreSQLTable: Sendable {
    var oid: UInt32
    var name: PostgreSQLName
    /// Those that are stored: no generated ones.
    var columns: [PostgreSQLColumn]
    var generatedColumns: [String]
    /// About how many rows it has; nil where nobody has counted yet.
    var estimatedRows: Int?
    var isUnlogged: Bool
    /// For a table of an extension: the condition by which the extension says which rows are the user's.
    var condition: String?
    var extensionName: String?
    /// The table that holds the rows in its place, under its columns; nil where it holds them itself.
    var place: PostgreSQLName?

    /// As its rows are named in a statement.
    var quoted: String { (place ?? name).quoted }

    var description: TableDescription {
        TableDescription(
            name: name.archiveKey,
            columns: columns.map { ColumnDescription(name: $0.name, type: $0.type, encoding: $0.encoding) })
    }

    /// Reads the rows, and nothing else: not those of tables that inherit from this one, no generated columns.
    var copyOut: String {
        let list = columns.map { PostgreSQLName.quote($0.name) }.joined(separator: ", ")
        let condition = condition.map { " " + $0 } ?? ""
        return "COPY (SELECT \(list) FROM ONLY \(quoted)\(condition)) TO STDOUT"
    }
}

extension PostgreSQLTable {
    /// The same for a range of pages; up to the end where no last one is given.
    func copyOut(fromPage start: Int64, toPage end: Int64?) -> String {
        let list = columns.map { PostgreSQLName.quote($0.name) }.joined(separator: ", ")
        let last = end.map { " AND ctid < '(\($0),0)'::tid" } ?? ""
        return "COPY (SELECT \(list) FROM ONLY \(name.quoted) WHERE ctid >= '(\(start),0)'::tid\(last)) TO STDOUT"
    }
}

/// Reads which tables a database has.
struct PostgreSQLTableListing {
    let connection: PostgreSQLConnection

    /// All tables with rows of their own, in the order of their names.
    func tables() throws(BackupError) -> [PostgreSQLTable] {
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.reltuples::bigint, c.relpersistence = 'u', e.condition, e.extname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN (
                SELECT x.extname, u.oid, coalesce(u.condition, '') AS condition
                FROM pg_extension x, unnest(x.extconfig, x.extcondition) AS u(oid, condition)
            ) e ON e.oid = c.oid
            WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND \(PostgreSQLTableListing.isUsersSchema)
              AND (e.oid IS NOT NULL OR \(PostgreSQLTableListing.isNoMember("pg_class", "c.oid")))
            """)
        let columns = try columns()
        var tables: [PostgreSQLTable] = []
        for row in 0..<result.rowCount {
            let oid = UInt32(result.value(row, 0)) ?? 0
            let own = columns[oid] ?? ([], [])
            tables.append(
                PostgreSQLTable(
                    oid: oid, name: PostgreSQLName(schema: result.value(row, 1), name: result.value(row, 2)),
                    columns: own.stored, generatedColumns: own.generated,
                    estimatedRows: result.integer(row, 3).flatMap { $0 < 0 ? nil : Int($0) },
                    isUnlogged: result.flag(row, 4), condition: result.text(row, 5).flatMap { $0.isEmpty ? nil : $0 },
                    extensionName: result.text(row, 6)))
        }
        return tables.sorted { $0.name < $1.name }
    }

    /// Schemas that are not PostgreSQL's own, of `pg_namespace` as `n`.
    static let isUsersSchema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

    /// That an object does not belong to an extension.
    static func isNoMember(_ catalog: String, _ oid: String) -> String {
        """
        NOT EXISTS (SELECT 1 FROM pg_depend m WHERE m.classid = '\(catalog)'::regclass AND m.objid = \(oid)
            AND m.objsubid = 0 AND m.deptype = 'e')
        """
    }

    private func columns() throws(BackupError) -> [UInt32: (stored: [PostgreSQLColumn], generated: [String])] {
        let generated = connection.serverVersion >= 120_000 ? "a.attgenerated <> ''" : "false"
        let result = try connection.query(
            """
            WITH RECURSIVE base(oid, below) AS (
                SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
                UNION ALL
                SELECT t.oid, b.below FROM pg_type t JOIN base b ON b.oid = t.typbasetype WHERE t.typtype = 'd'
            )
            SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), b.below, \(generated)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN base b ON b.oid = a.atttypid
            WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND \(PostgreSQLTableListing.isUsersSchema)
            ORDER BY a.attrelid, a.attnum
            """)
        var columns: [UInt32: (stored: [PostgreSQLColumn], generated: [String])] = [:]
        for row in 0..<result.rowCount {
            let table = UInt32(result.value(row, 0)) ?? 0
            if result.flag(row, 4) {
                columns[table, default: ([], [])].generated.append(result.value(row, 1))
            } else {
                columns[table, default: ([], [])].stored.append(
                    PostgreSQLColumn(
                        name: result.value(row, 1), type: result.value(row, 2),
                        baseType: UInt32(result.value(row, 3)) ?? 0))
            }
        }
        return columns
    }
}
