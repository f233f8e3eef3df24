internal import BackupCore

/// The part of a schema that a restore of chosen tables makes: those tables, with their indexes and triggers.
///
/// Views are left out, because what they name may be missing. A virtual table brings its shadow tables along.
struct SQLiteChosenSchema {
    let schema: SQLiteSchema
    let warnings: [String]

    /// - Parameters:
    ///   - chosen: names as given by the user; the whole schema when nil.
    ///   - held: the tables whose rows the archive holds.
    init(_ whole: SQLiteSchema, chosen: [String]?, held: Set<ExactName>) throws(BackupError) {
        guard let chosen else {
            schema = whole
            warnings = SQLiteChosenSchema.tablesWithoutRows(whole, held)
            return
        }
        // An index or trigger may spell the name of its table in another case.
        let tables = Set(SQLiteChosenSchema.withShadowTables(chosen, of: whole).map { SQLiteName($0.text) })
        let selectable = whole.objects.filter(\.isTable).map(\.name).exactNames
        let unknown = chosen.filter { !selectable.contains(ExactName($0)) }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound, "the archive has no table named \(SQLiteChosenSchema.list(unknown)); see `elder-backup show`"
            )
        }
        var part = whole
        part.objects = whole.objects.filter { object in
            switch object.kind {
            case .table, .virtualTable, .shadowTable: tables.contains(SQLiteName(object.name))
            case .internalTable: object.name == "sqlite_sequence" || tables.contains(SQLiteName(object.name))
            case .index, .trigger: tables.contains(SQLiteName(object.table))
            case .view: false
            }
        }
        if !part.objects.contains(where: { $0.kind == .table && SQLiteChosenSchema.counts($0) }) {
            part.objects.removeAll { $0.name == "sqlite_sequence" && !tables.contains(SQLiteName($0.name)) }
        }
        schema = part
        var warnings: [String] = []
        let views = whole.objects.filter { $0.kind == .view }.map(\.name)
        if !views.isEmpty {
            warnings.append("views are left out, as tables were chosen: \(SQLiteChosenSchema.list(views))")
        }
        self.warnings = warnings + SQLiteChosenSchema.tablesWithoutRows(part, held)
    }

    /// A warning that names the tables whose definition alone the archive holds: they were left out of the backup.
    private static func tablesWithoutRows(_ schema: SQLiteSchema, _ held: Set<ExactName>) -> [String] {
        let shadowTables = Dictionary(
            grouping: schema.objects.filter { $0.kind == .shadowTable }, by: { SQLiteName($0.owner ?? "") })
        let empty = schema.objects.filter { object in
            switch object.kind {
            case .table: return !held.contains(ExactName(object.name))
            case .virtualTable:
                let content = shadowTables[SQLiteName(object.name)] ?? []
                return !content.isEmpty && !content.contains { held.contains(ExactName($0.name)) }
            case .shadowTable, .internalTable, .index, .view, .trigger: return false
            }
        }
        guard !empty.isEmpty else { return [] }
        return ["the archive holds no rows of these tables, which stay empty: \(list(empty.map(\.name)))"]
    }

    /// The chosen tables, and those that the virtual tables among them consist of.
    static func withShadowTables(_ chosen: [String], of schema: SQLiteSchema) -> Set<ExactName> {
        let names = chosen.exactNames
        return names.union(
            schema.objects.filter { object in object.owner.map { names.contains(ExactName($0)) } ?? false }
                .map(\.name).exactNames)
    }

    /// Whether the table may have a counter: a word in its definition is enough, since a counter too many is harmless.
    private static func counts(_ object: SQLiteSchema.Object) -> Bool {
        object.sql?.uppercased().contains("AUTOINCREMENT") ?? false
    }

    static func list(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
