internal import BackupCore
internal import DatabaseSource

/// Which tables an export holds, and which of their rows.
struct ExportSelection {
    /// Without hidden row numbers, which are no data.
    let tables: [TableDescription]
    /// What each table's rows must pass.
    let tests: [[(column: Int, test: FilterTest)]]
    /// The caller's names, each with its table.
    let names: [(name: String, table: String)]
    /// What the user should know, each a line.
    let warnings: [String]

    /// - Throws: `usage`, located at the field that is wrong.
    init(_ request: ExportRequest, of schema: SchemaDocument) throws(BackupError) {
        let filters = try ExportFilters(json: request.filters)
        let (held, left) = ExportSelection.ordinaryTables(schema)
        var chosen: Set<ExactName>?
        if request.resourceTypes.isEmpty {
            names = held.map { ($0.name, $0.name) }
            warnings =
                left.isEmpty
                ? []
                : ["what virtual tables keep in tables of their own is not exported: \(left.joined(separator: ", "))"]
        } else {
            var names: [(name: String, table: String)] = []
            var unknown: [String] = []
            for name in request.resourceTypes where !names.contains(where: { $0.name.isExactly(name) }) {
                guard let table = ExportSelection.table(name, among: held) else {
                    unknown.append("\"\(name.prefix(80))\"")
                    continue
                }
                names.append((name, table))
            }
            guard unknown.isEmpty else {
                throw BackupError(
                    .notFound, "the database has no table for \(unknown.joined(separator: ", "))",
                    location: ["resource_types"])
            }
            self.names = names
            warnings = []
            chosen = names.map(\.table).exactNames
        }
        tables = held.filter { chosen?.contains(ExactName($0.name)) ?? true }
        var meanings = Dictionary(held.map { (ExactName($0.name), $0.name) }, uniquingKeysWith: { first, _ in first })
        for (name, table) in names { meanings[ExactName(name)] = table }
        tests = try filters.tests(for: tables, names: meanings)
    }

    /// The tables that hold an application's rows, and those that do not: an engine's own, and the insides of virtual
    /// tables.
    private static func ordinaryTables(_ schema: SchemaDocument) -> (held: [TableDescription], left: [String]) {
        let inner = Dictionary(
            schema.ledger.filter { $0.type == "shadow table" || $0.type == "internal table" }
                .map { (ExactName($0.name), $0.type) }, uniquingKeysWith: { first, _ in first })
        var held: [TableDescription] = []
        var left: [String] = []
        for table in schema.tables {
            switch inner[ExactName(table.name)] {
            case "shadow table": left.append(table.name)
            case nil: held.append(TableDescription(name: table.name, columns: table.columns))
            default: break
            }
        }
        return (held, left)
    }

    /// A table by its own name, or by Elder's word for one of its rows: `entity` for `entities`.
    static func table(_ name: String, among tables: [TableDescription]) -> String? {
        for candidate in [name] + plurals(name) {
            if let table = tables.first(where: { $0.name.isExactly(candidate) }) { return table.name }
        }
        return nil
    }

    private static func plurals(_ name: String) -> [String] {
        var forms = [name + "s"]
        if name.hasSuffix("y") { forms.insert(String(name.dropLast()) + "ies", at: 0) }
        if ["s", "x", "z", "ch", "sh"].contains(where: name.hasSuffix) { forms.insert(name + "es", at: 0) }
        return forms
    }
}
