internal import BackupCore

/// The order of objects: in which they are created, and in which they stand in `sqlite_schema` afterwards.
///
/// The two differ. A virtual table makes its shadow tables, which stand before it once `VACUUM` has run; and indexes
/// are built after the rows are loaded. Yet `.dump` and `VACUUM` follow the rows of `sqlite_schema`, so that order is
/// restored at the end.
enum SQLiteSchemaOrder {
    /// All objects but indexes, in the order of creation: what holds rows, then views and triggers. A shadow table
    /// follows its virtual table, which usually has made it.
    static func creation(of objects: [SQLiteSchema.Object]) -> [SQLiteSchema.Object] {
        let virtualTables = Dictionary(
            objects.enumerated().filter { $0.element.kind == .virtualTable }
                .map { (SQLiteName($0.element.name), $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var made: Set<Int> = []
        var result: [SQLiteSchema.Object] = []
        func add(_ place: Int) {
            if made.insert(place).inserted { result.append(objects[place]) }
        }
        for (place, object) in objects.enumerated() {
            switch object.kind {
            case .shadowTable:
                if let virtualTable = object.owner.flatMap({ virtualTables[SQLiteName($0)] }) { add(virtualTable) }
                add(place)
            case .table, .internalTable, .virtualTable: add(place)
            case .index, .view, .trigger: break
            }
        }
        return result + objects.filter { $0.kind == .view || $0.kind == .trigger }
    }

    /// Gives the rows of `sqlite_schema` the order they have in the source. Only their row numbers change, which
    /// nothing refers to (https://sqlite.org/schematab.html); no text from an archive takes part in it.
    static func restore(_ objects: [SQLiteSchema.Object], on connection: SQLiteConnection) throws(BackupError) {
        let places = Dictionary(
            objects.enumerated().map { (key($0.element), $0.offset) }, uniquingKeysWith: { first, _ in first })
        let rows = try connection.prepare("SELECT rowid,type,name FROM sqlite_schema ORDER BY rowid")
        var present: [(rowid: Int64, place: Int)] = []
        while try rows.step() {
            // What the source lacks, because a module of this SQLite makes more, goes to the end.
            let place = places[SQLiteName("\(try rows.text(1) ?? "") \(try rows.text(2) ?? "")")] ?? Int.max
            present.append((rows.integer(0), place))
        }
        rows.reset()
        let ordered = present.sorted { ($0.place, $0.rowid) < ($1.place, $1.rowid) }
        guard let last = present.last, ordered.map(\.rowid) != present.map(\.rowid) else { return }
        try connection.execute("PRAGMA writable_schema=ON")
        let update = try connection.prepare("UPDATE sqlite_schema SET rowid=?1 WHERE rowid=?2")
        for (offset, row) in ordered.enumerated() {
            update.bind(last.rowid + 1 + Int64(offset), at: 1)
            update.bind(row.rowid, at: 2)
            try update.step()
            update.reset()
        }
        try connection.execute("PRAGMA writable_schema=OFF")
    }

    private static func key(_ object: SQLiteSchema.Object) -> SQLiteName {
        SQLiteName("\(object.isTable ? "table" : object.kind.rawValue) \(object.name)")
    }
}
