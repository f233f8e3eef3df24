internal import BackupCore

/// Which tables' rows a backup holds, and what it holds of everything else.
struct SQLiteSelection {
    private let schema: SQLiteSchema
    /// Names of tables whose rows are left out, with the words for why.
    private var excluded: [SQLiteName: String] = [:]

    /// - Throws: ``BackupError/Code/notFound`` naming every table that is not there, ``BackupError/Code/usage`` for a
    ///   table that cannot be chosen by itself.
    init(of schema: SQLiteSchema, including: [String]?, excluding: [String]) throws(BackupError) {
        self.schema = schema
        let left = try resolve(excluding, option: "--exclude-tables")
        let chosen = try including.map { names throws(BackupError) in try resolve(names, option: "--tables") }
        for object in schema.objects where object.kind == .table || object.kind == .virtualTable {
            let name = SQLiteName(object.name)
            if left.contains(name) {
                excluded[name] = "rows left out by --exclude-tables"
            } else if let chosen, !chosen.contains(name) {
                excluded[name] = "rows left out by --tables"
            }
        }
        // A shadow table goes where its owner goes; one without an owner is nobody's to choose.
        for object in schema.objects where object.kind == .shadowTable {
            if let owner = object.owner, let reason = excluded[SQLiteName(owner)] {
                excluded[SQLiteName(object.name)] = reason
            }
        }
    }

    /// The tables whose rows are to be read, in order. The counters of `AUTOINCREMENT` come last: loading the tables
    /// changes them.
    var tables: [SQLiteSchema.Object] {
        let stored = schema.objects.filter { SQLiteSelection.hasRows($0) && excluded[SQLiteName($0.name)] == nil }
        return stored.filter { $0.name != SQLiteSelection.counters }
            + stored.filter { $0.name == SQLiteSelection.counters }
    }

    private static let counters = "sqlite_sequence"
    /// SQLite's own tables that are kept; of others in its name space this program knows nothing.
    private static let keptInternals: Set<String> = [counters, "sqlite_stat1"]
    /// Statistics of forms that the library in use does not keep; `ANALYZE` gathers what it needs anew.
    static let droppedStatistics: Set<String> = ["sqlite_stat2", "sqlite_stat3", "sqlite_stat4"]

    private static func hasRows(_ object: SQLiteSchema.Object) -> Bool {
        switch object.kind {
        case .table, .shadowTable: true
        case .internalTable: keptInternals.contains(asciiLowercased(object.name))
        case .virtualTable, .index, .view, .trigger: false
        }
    }

    // MARK: Names

    private func resolve(_ names: [String], option: String) throws(BackupError) -> Set<SQLiteName> {
        let tables = Dictionary(
            schema.objects.filter(\.isTable).map { (SQLiteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        var found: Set<SQLiteName> = []
        var unknown: [String] = []
        for name in names {
            guard let match = tables[SQLiteName(name)] else {
                unknown.append("\"\(name)\"")
                continue
            }
            try checkChoice(match, option: option)
            found.insert(SQLiteName(match.name))
        }
        guard unknown.isEmpty else {
            let words = unknown.count == 1 ? "no table" : "no tables"
            throw BackupError(
                .notFound,
                "the database has \(words) \(unknown.joined(separator: ", ")) (\(option)); check the spelling")
        }
        return found
    }

    private func checkChoice(_ object: SQLiteSchema.Object, option: String) throws(BackupError) {
        if object.kind == .shadowTable {
            let advice = object.owner.map { "name \"\($0)\" instead" } ?? "it cannot be chosen by itself"
            throw BackupError(
                .usage, "\(option): \"\(object.name)\" holds the content of a virtual table; \(advice)")
        }
        if object.kind == .internalTable {
            throw BackupError(
                .usage,
                "\(option): \"\(object.name)\" is SQLite's own and always kept; name the tables it serves instead")
        }
    }

    // MARK: The ledger

    /// One entry for every object of the schema.
    ///
    /// - Parameter notes: what else there is to say of a table, by name.
    func ledger(notes: [SQLiteName: [String]]) throws(BackupError) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        for object in schema.objects {
            var entry = try entry(for: object)
            let reasons =
                (entry.reason.map { [$0] } ?? []) + (object.isTable ? notes[SQLiteName(object.name)] ?? [] : [])
            entry.reason = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
            entries.append(entry)
        }
        return entries
    }

    private func entry(for object: SQLiteSchema.Object) throws(BackupError) -> LedgerEntry {
        switch object.kind {
        case .table, .shadowTable:
            let type = object.kind == .table ? "table" : "shadow table"
            guard let reason = excluded[SQLiteName(object.name)] else {
                return LedgerEntry(type: type, name: object.name, holding: .stored)
            }
            return LedgerEntry(type: type, name: object.name, holding: .excluded, reason: reason)
        case .internalTable: return try internalEntry(object)
        case .virtualTable: return virtualEntry(object)
        case .index:
            let reason = object.sql == nil ? "made by SQLite for a constraint" : nil
            return LedgerEntry(type: "index", name: object.name, holding: .recomputed, reason: reason)
        case .view: return LedgerEntry(type: "view", name: object.name, holding: .definition)
        case .trigger: return LedgerEntry(type: "trigger", name: object.name, holding: .definition)
        }
    }

    private func internalEntry(_ object: SQLiteSchema.Object) throws(BackupError) -> LedgerEntry {
        let name = asciiLowercased(object.name)
        if SQLiteSelection.keptInternals.contains(name) {
            return LedgerEntry(type: "internal table", name: object.name, holding: .stored)
        }
        if SQLiteSelection.droppedStatistics.contains(name) {
            return LedgerEntry(
                type: "internal table", name: object.name, holding: .unsupported,
                reason: "statistics of a kind that this SQLite does not keep; ANALYZE gathers them anew")
        }
        throw BackupError(
            .unsupported, "the schema holds \"\(object.name)\", a table of SQLite's own that is not known here")
    }

    private func virtualEntry(_ object: SQLiteSchema.Object) -> LedgerEntry {
        let name = SQLiteName(object.name)
        let shadows = schema.objects.filter { $0.kind == .shadowTable && $0.owner.map(SQLiteName.init(_:)) == name }
            .map(\.name)
        let type = "virtual table"
        if shadows.isEmpty {
            let module = object.module.map { "module \($0)" } ?? "its module"
            return LedgerEntry(
                type: type, name: object.name, holding: .definition,
                reason: "\(module) keeps no rows of its own in the database")
        }
        if let reason = excluded[SQLiteName(object.name)] {
            return LedgerEntry(type: type, name: object.name, holding: .excluded, reason: reason)
        }
        return LedgerEntry(
            type: type, name: object.name, holding: .stored,
            reason: "by its shadow tables \(shadows.joined(separator: ", "))")
    }
}
