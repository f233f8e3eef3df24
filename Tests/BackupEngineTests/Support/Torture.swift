import CSQLite
import TestSupport

/// One corner of what a SQLite database can hold.
enum TortureScenario: String, CaseIterable, Sendable {
    case values, json, large, generated, keys, rowids, rowidNames, counters, objects, fullText, contentless, rtree
    case foreignKeys, names, wide, defaults, remains, many, statistics
}

/// How a database file is laid out.
struct TortureVariant: Sendable, CustomStringConvertible {
    var encoding = "UTF-8"
    var pageSize = 4096
    var autoVacuum = 0
    var journal = "delete"
    var isVacuumed = false

    var description: String {
        "\(encoding) page \(pageSize) auto_vacuum \(autoVacuum) \(journal)\(isVacuumed ? " vacuumed" : "")"
    }
    var isUTF16: Bool { encoding != "UTF-8" }
}

/// A database with everything in it that is hard to carry over. The same file on every run.
struct Torture {
    let database: TestDatabase
    let variant: TortureVariant
    var generator = SeededGenerator(seed: 20_260_131)

    /// Makes the database at `path`, and closes it.
    static func create(
        at path: String, _ scenarios: [TortureScenario] = TortureScenario.allCases,
        _ variant: TortureVariant = TortureVariant()
    ) throws {
        let database = try TestDatabase(path)
        try database.run("PRAGMA page_size=\(variant.pageSize)")
        try database.useEncoding(variant.encoding)
        try database.run("PRAGMA auto_vacuum=\(variant.autoVacuum); PRAGMA journal_mode=\(variant.journal)")
        try database.run("PRAGMA user_version=-20260131; PRAGMA application_id=1162104911")
        // The old file format stores no descending indexes.
        try database.run("PRAGMA legacy_file_format=OFF; PRAGMA foreign_keys=OFF; PRAGMA synchronous=OFF")
        var torture = Torture(database: database, variant: variant)
        try database.run("BEGIN")
        for scenario in scenarios { try torture.add(scenario) }
        try database.run("COMMIT")
        if variant.isVacuumed { try database.run("VACUUM") }
    }

    private mutating func add(_ scenario: TortureScenario) throws {
        switch scenario {
        case .values: try addValues()
        case .json: try addJSON()
        case .large: try addLarge()
        case .generated: try database.run(TortureSQL.generated)
        case .keys: try addKeys()
        case .rowids: try addRowids()
        case .rowidNames: try database.run(TortureSQL.rowidNames)
        case .counters: try database.run(TortureSQL.counters)
        case .objects: try database.run(TortureSQL.objects)
        case .fullText: try addFullText()
        case .contentless: try database.run(TortureSQL.contentless)
        case .rtree: try addRTree()
        case .foreignKeys: try database.run(TortureSQL.foreignKeys)
        case .names: try addNames()
        case .wide: try addWide()
        case .defaults: try database.run(TortureSQL.defaults)
        case .remains: try database.run(TortureSQL.remains)
        case .many: try addMany()
        case .statistics: try database.run("ANALYZE")
        }
    }

    private func text(_ string: String) -> SQLValue { TortureValues.text(string, utf16: variant.isUTF16) }

    private func addValues() throws {
        let types = TortureValues.declaredTypes
        let columns = types.enumerated().map { "c\($0) \($1)" }
        try database.run("CREATE TABLE every_type(id INTEGER PRIMARY KEY, \(columns.joined(separator: ", ")))")
        let places = [String](repeating: "?", count: types.count).joined(separator: ",")
        try database.run(
            "INSERT INTO every_type VALUES(NULL,\(places))",
            TortureValues.all(utf16: variant.isUTF16).map { [SQLValue](repeating: $0, count: types.count) })
    }

    private func addJSON() throws {
        try database.run("CREATE TABLE documents(id INTEGER PRIMARY KEY, a JSON, b jsonb, flag BOOLEAN, t TEXT)")
        var rows: [[SQLValue]] = TortureValues.jsonTexts.map { [text($0), text($0), .null, text($0)] }
        rows += TortureValues.all(utf16: variant.isUTF16).map { [$0, $0, $0, .null] }
        try database.run("INSERT INTO documents(a,b,flag,t) VALUES(?,?,?,?)", rows)
    }

    private mutating func addLarge() throws {
        try database.run("CREATE TABLE large(id INTEGER PRIMARY KEY, b BLOB, t, u TEXT)")
        let sizes = [
            0, 1, 2, 3, 4, 99, 511, 512, 4095, 4096, 4097, 65535, 65536, 131_071, 262_144, 400_000, 524_287, 524_288,
            1_048_576,
        ]
        for size in sizes {
            let bytes = generator.bytes(size)
            let half = size / 2 * 2
            let letters = (0..<half).map { variant.isUTF16 && $0 % 2 == 1 ? 0 : 0x20 + bytes[$0] % 0x5F }
            try database.run(
                "INSERT INTO large VALUES(NULL,?,?,?)",
                [[.blob(bytes), size < 200_000 ? .blob(bytes) : .null, .text(letters)]])
        }
    }

    private func addKeys() throws {
        try database.run(TortureSQL.keys)
        let values = TortureValues.all(utf16: variant.isUTF16)
        try database.run(
            "INSERT OR IGNORE INTO any_key VALUES(?,?)", values.dropFirst().map { [$0, $0] })
        try database.run("INSERT INTO strict_any(v) VALUES(?)", values.map { [$0] })
        try database.run(
            "INSERT OR IGNORE INTO strict_key VALUES(?,?,?)",
            values.dropFirst().enumerated().map { [.text(Array((1...4).map { _ in 0x30 })), .integer(Int64($0)), $1] })
    }

    private func addRowids() throws {
        try database.run(
            "CREATE TABLE gaps(name TEXT, v); CREATE TABLE gaps_unique(name TEXT UNIQUE);"
                + "CREATE TABLE desc_key(id INTEGER PRIMARY KEY DESC, v); CREATE TABLE int_key(id INT PRIMARY KEY, v)")
        let ids: [Int64] = [.min, .min + 1, -1000, -1, 0, 1, 2, 10, 1 << 40, .max - 1, .max]
        try database.run(
            "INSERT INTO gaps(rowid,name,v) VALUES(?,?,?)", ids.map { [.integer($0), .null, .integer($0)] })
        try database.run(
            "INSERT INTO gaps_unique(rowid,name) VALUES(?,'n'||?)", ids.map { [.integer($0), .integer($0)] })
        try database.run(
            "INSERT INTO desc_key(rowid,id,v) VALUES(?,?,?)",
            ids.dropLast().map { [.integer($0 + 1), .integer($0), .null] })
        try database.run(
            "INSERT INTO int_key(rowid,id,v) VALUES(?,?,?)", ids.map { [.integer($0), .integer(~$0), .null] })
    }

    private mutating func addFullText() throws {
        try database.run(TortureSQL.fullText)
        for index in 1...300 {
            let words = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
                TortureSQL.words.randomElement(using: &generator) ?? ""
            }
            let body = text(words.joined(separator: " "))
            try database.run("INSERT INTO notes(title,body) VALUES(?,?)", [[text("title \(index)"), body]])
            try database.run("INSERT INTO articles(title,body) VALUES(?,?)", [[text("title \(index)"), body]])
            try database.run("INSERT INTO old_notes(subject,body) VALUES(?,?)", [[text("s\(index)"), body]])
        }
        try database.run("DELETE FROM notes WHERE rowid%7=0; DELETE FROM articles WHERE id%5=0")
        try database.run(
            "UPDATE articles SET body='changed '||body WHERE id%11=0; DELETE FROM old_notes WHERE rowid%9=0")
    }

    private mutating func addRTree() throws {
        try database.run(
            "CREATE VIRTUAL TABLE boxes USING rtree(id,x0,x1,y0,y1,+label TEXT); "
                + "CREATE VIRTUAL TABLE cells USING rtree_i32(id,x0,x1)")
        for index in 1...500 {
            let x = Double.random(in: -1000...1000, using: &generator)
            try database.run(
                "INSERT INTO boxes VALUES(?,?,?,?,?,?)",
                [[.integer(Int64(index * 3)), .real(x), .real(x + 1), .real(-x), .real(5 - x), text("box \(index)")]])
            try database.run(
                "INSERT INTO cells VALUES(?,?,?)",
                [[.integer(Int64(index)), .integer(Int64(index)), .integer(Int64(index + 5))]])
        }
    }

    private func addNames() throws {
        for (index, name) in TortureSQL.names.enumerated() {
            let table = TestDatabase.quote(name)
            let other = TestDatabase.quote(TortureSQL.names[(index + 1) % TortureSQL.names.count] + " column")
            try database.run(
                "CREATE TABLE \(table)(\(table) TEXT, \(other) INT);"
                    + "CREATE INDEX \(TestDatabase.quote("index of " + name)) ON \(table)(\(other), \(table));"
                    + "CREATE VIEW \(TestDatabase.quote("view of " + name)) AS SELECT \(table) AS \(other) FROM \(table)"
            )
            try database.run("INSERT INTO \(table) VALUES(?,?)", [[text(name), .integer(Int64(index))]])
        }
    }

    private func addWide() throws {
        let columns = (0..<1000).map { "column_\($0) " + [" INT", " TEXT", ""][$0 % 3] }
        try database.run("CREATE TABLE wide(\(columns.joined(separator: ",")))")
        let row: [SQLValue] = (0..<1000).map { (index: Int) -> SQLValue in
            if index % 4 == 0 { return .null }
            return index % 3 == 1 ? text("t\(index)") : .integer(Int64(index))
        }
        let places = [String](repeating: "?", count: 1000).joined(separator: ",")
        try database.run("INSERT INTO wide VALUES(\(places))", [row, row, [SQLValue](repeating: .null, count: 1000)])
    }

    /// More rows than one member of an archive holds, and more pages than one level of a tree.
    private mutating func addMany() throws {
        try database.run(
            "CREATE TABLE many(id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount DECIMAL(12,2), flag BOOLEAN, extra JSON);"
                + "CREATE INDEX many_name ON many(name COLLATE NOCASE DESC, amount)")
        var rows: [[SQLValue]] = []
        for index in 1...12_000 {
            let letters = Array("aZé'\"\\€😀 \n")
            var name = ""
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                name.append(letters[Int.random(in: 0..<letters.count, using: &generator)])
            }
            let amount = Double(Int.random(in: 0...99_999, using: &generator)) / 100
            let extra = text("{\"n\":\(index),\"tags\":[\"a\",\"b\"]}")
            rows.append([.integer(Int64(index * 2)), text(name), .real(amount), .integer(Int64(index % 2)), extra])
        }
        try database.run("INSERT INTO many VALUES(?,?,?,?,?)", rows)
    }
}
