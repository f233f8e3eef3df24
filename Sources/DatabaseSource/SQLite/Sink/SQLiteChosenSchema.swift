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
    init(_ whole: SQLiteSchema, chosen: [String]?, held: Set<String>) throws(BackupError) {
        guard let chosen else {
            schema = whole
            warnings = []
            return
        }
        let tables = SQLiteChosenSchema.withShadowTables(chosen, of: whole)
        let selectable = Set(
            whole.objects.filter { [.table, .virtualTable, .shadowTable, .internalTable].contains($0.kind) }.map(\.name)
        )
        let unknown = chosen.filter { !selectable.contains($0) }
        guard unknown.isEmpty else {
            throw BackupError(
                .notFound, "the archive has no table named \(SQLiteChosenSchema.list(unknown)); see `elder-backup show`"
            )
        }
        var part = whole
        part.objects = whole.objects.filter { object in
            switch object.kind {
            case .table, .virtualTable, .shadowTable: tables.contains(object.name)
            case .internalTable: object.name == "sqlite_sequence" || tables.contains(object.name)
            case .index, .trigger: tables.contains(object.table)
            case .view: false
            }
        }
        if !part.objects.contains(where: { $0.kind == .table && SQLiteChosenSchema.counts($0) }) {
            part.objects.removeAll { $0.name == "sqlite_sequence" && !tables.contains($0.name) }
        }
        schema = part
        var warnings: [String] = []
        let views = whole.objects.filter { $0.kind == .view }.map(\.name)
        if !views.isEmpty {
            warnings.append("views are left out, as tables were chosen: \(SQLiteChosenSchema.list(views))")
        }
        let empty = part.objects.filter { $0.kind == .table && !held.contains($0.name) }.map(\.name)
        if !empty.isEmpty {
            warnings.append(
                "the archive holds no rows of these tables, which stay empty: \(SQLiteChosenSchema.list(empty))")
        }
        self.warnings = warnings
    }

    /// The chosen tables, and those that the virtual tables among them consist of.
    static func withShadowTables(_ chosen: [String], of schema: SQLiteSchema) -> Set<String> {
        let names = Set(chosen)
        return names.union(
            schema.objects.filter { object in object.owner.map(names.contains) ?? false }.map(\.name))
    }

    /// Whether the table may have a counter: a word in its definition is enough, since a counter too many is harmless.
    private static func counts(_ object: SQLiteSchema.Object) -> Bool {
        object.sql?.uppercased().contains("AUTOINCREMENT") ?? false
    }

    static func list(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
