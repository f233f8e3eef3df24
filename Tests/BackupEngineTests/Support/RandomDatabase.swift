import TestSupport

/// A database whose schema and rows follow from a number.
struct RandomDatabase {
    private let database: TestDatabase
    private var generator: SeededGenerator
    private let isUTF16: Bool

    static func create(at path: String, seed: UInt64) throws {
        var random = try RandomDatabase(path, seed)
        try random.fill()
    }

    private init(_ path: String, _ seed: UInt64) throws {
        database = try TestDatabase(path)
        generator = SeededGenerator(seed: seed)
        try database.run("PRAGMA page_size=\(512 << Int.random(in: 0...5, using: &generator)); PRAGMA synchronous=OFF")
        isUTF16 = generator.chance(1, in: 4)
        if isUTF16 { try database.useEncoding(generator.chance(1, in: 2) ? "UTF-16le" : "UTF-16be") }
        try database.run("PRAGMA auto_vacuum=\(Int.random(in: 0...2, using: &generator))")
        if generator.chance(1, in: 4) { try database.run("PRAGMA journal_mode=wal") }
    }

    private mutating func fill() throws {
        try database.run("BEGIN")
        let count = Int.random(in: 1...6, using: &generator)
        for index in 0..<count { try addTable("\(pick(RandomDatabase.tableNames))\(index)") }
        if generator.chance(1, in: 3) { try database.run("ANALYZE") }
        try database.run("COMMIT")
        if generator.chance(1, in: 3) { try database.run("VACUUM") }
    }

    private static let tableNames = ["t", "Table ", "quo\"te", "日本", "new\nline", "select", "a.b", "x'y"]
    private static let columnNames = ["c", "Column ", "quo\"te", "é", "group", "a.b", "$rowid", "oid_", "nul'l"]
    private static let strictTypes = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &generator)]
    }

    private struct Column {
        var name: String
        var isGenerated = false
    }

    private mutating func addTable(_ name: String) throws {
        let isStrict = generator.chance(1, in: 4)
        let table = TestDatabase.quote(name)
        var columns: [Column] = []
        var parts: [String] = []
        for index in 0..<Int.random(in: 1...8, using: &generator) {
            let (column, part) = makeColumn(index, isStrict: isStrict, earlier: columns)
            columns.append(column)
            parts.append(part)
        }
        let stored = columns.filter { !$0.isGenerated }
        var options: [String] = isStrict ? ["STRICT"] : []
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            parts.insert("id INTEGER PRIMARY KEY\(generator.chance(1, in: 2) ? " AUTOINCREMENT" : "")", at: 0)
        case 1:
            parts.append("PRIMARY KEY(\(list(of: stored, atMost: 3)))")
            options.append("WITHOUT ROWID")
        case 2: parts.append("PRIMARY KEY(\(list(of: stored, atMost: 2)))")
        default: break
        }
        if generator.chance(1, in: 5) { parts.append("UNIQUE(\(list(of: stored, atMost: 2)))") }
        if generator.chance(1, in: 5) { parts.append("CHECK(typeof(\(TestDatabase.quote(stored[0].name))) <> 'none')") }
        try database.run("CREATE TABLE \(table)(\(parts.joined(separator: ", "))) \(options.joined(separator: ", "))")
        if generator.chance(1, in: 2) { addIndexes(to: table, name, columns) }
        try addRows(to: table, stored)
        if generator.chance(1, in: 2) { addIndexes(to: table, name + " late", columns) }
        if generator.chance(1, in: 4) {
            try database.run("CREATE VIEW \(TestDatabase.quote("view of " + name)) AS SELECT * FROM \(table)")
        }
    }

    private mutating func makeColumn(_ index: Int, isStrict: Bool, earlier: [Column]) -> (Column, String) {
        let name = pick(RandomDatabase.columnNames) + String(index)
        let type = isStrict ? pick(RandomDatabase.strictTypes) : pick(TortureValues.declaredTypes)
        var part = TestDatabase.quote(name) + " " + type
        if index > 0, generator.chance(1, in: 6), let source = earlier.first(where: { !$0.isGenerated }) {
            let operand = TestDatabase.quote(source.name)
            let expression = pick([
                "typeof(\(operand))", "hex(\(operand))", "\(operand) IS NULL", "quote(\(operand)) || 1",
            ])
            let kind = isStrict ? "ANY" : ""
            part = "\(TestDatabase.quote(name)) \(kind) AS (\(expression)) \(pick(["STORED", "VIRTUAL"]))"
            return (Column(name: name, isGenerated: true), part)
        }
        if generator.chance(1, in: 6) { part += " DEFAULT \(pick(["1", "NULL", "(1 + 1)", "CURRENT_TIME"]))" }
        if generator.chance(1, in: 8) { part += " COLLATE \(pick(["NOCASE", "RTRIM", "BINARY"]))" }
        return (Column(name: name), part)
    }

    private mutating func list(of columns: [Column], atMost count: Int) -> String {
        let chosen = columns.shuffled(using: &generator).prefix(Int.random(in: 1...count, using: &generator))
        return chosen.map { TestDatabase.quote($0.name) + (generator.chance(1, in: 3) ? " DESC" : "") }
            .joined(separator: ", ")
    }

    /// Unique ones may be refused by the rows that are there: then there is none.
    private mutating func addIndexes(to table: String, _ name: String, _ columns: [Column]) {
        for index in 0..<Int.random(in: 1...3, using: &generator) {
            let unique = generator.chance(1, in: 3) ? "UNIQUE " : ""
            let first = TestDatabase.quote(columns[0].name)
            let keys = generator.chance(1, in: 4) ? "abs(length(\(first))), \(first)" : list(of: columns, atMost: 3)
            let condition = generator.chance(1, in: 4) ? " WHERE \(first) IS NOT NULL" : ""
            let quoted = TestDatabase.quote("\(name) index \(index)")
            try? database.run("CREATE \(unique)INDEX \(quoted) ON \(table)(\(keys))\(condition)")
        }
    }

    /// Rows that a constraint refuses are left out.
    private mutating func addRows(to table: String, _ columns: [Column]) throws {
        let names = columns.map { TestDatabase.quote($0.name) }.joined(separator: ",")
        let places = columns.map { _ in "?" }.joined(separator: ",")
        let pool = TortureValues.all(utf16: isUTF16)
        for _ in 0..<Int.random(in: 0...60, using: &generator) {
            let row = columns.map { _ in randomValue(pool) }
            try? database.run("INSERT INTO \(table)(\(names)) VALUES(\(places))", [row])
        }
        if generator.chance(1, in: 3), let first = columns.first {
            try database.run("DELETE FROM \(table) WHERE typeof(\(TestDatabase.quote(first.name)))='integer'")
        }
    }

    private mutating func randomValue(_ pool: [SQLValue]) -> SQLValue {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return .integer(Int64(bitPattern: generator.next()) >> Int64.random(in: 0...63, using: &generator))
        case 1:
            let number = Double(bitPattern: generator.next())
            return number.isNaN ? .null : .real(number)
        case 2: return .blob(generator.bytes(Int.random(in: 0...200, using: &generator)))
        case 3:
            // Any bytes at all as text, in whole units.
            return .text(generator.bytes(Int.random(in: 0...20, using: &generator) * 2))
        case 4: return TortureValues.text(pick(TortureValues.jsonTexts), utf16: isUTF16)
        default: return pool[Int.random(in: 0..<pool.count, using: &generator)]
        }
    }
}
