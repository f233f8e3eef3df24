import Foundation
import TestSupport

/// SQL that makes types, tables and rows at random: the same for a seed.
struct RandomTables {
    private var random: SeededGenerator
    private let values: RandomValues
    private var statements: [String] = []
    private var schemas: [String] = []

    /// - Parameter extensions: those that the server has.
    static func script(seed: UInt64, extensions: Set<String>) -> String {
        var tables = RandomTables(random: SeededGenerator(seed: seed), values: RandomValues(extensions: extensions))
        tables.makeTypes(extensions)
        tables.makeTables()
        return tables.statements.map { $0 + ";\n" }.joined()
    }

    private init(random: SeededGenerator, values: RandomValues) {
        self.random = random
        self.values = values
    }

    // MARK: Names

    private static let oddNames = [
        "Upper", "wïth späce", "dot.ted", "quo\"ted", "\"", "select", "😀", "日本", "$dollar$", "%s", "back\\slash",
        "it's",
        "tab\there", "a", "A", " ", "e\u{301}", "é", "--", "/*",
        String(repeating: "x", count: 63),
    ]

    static func quote(_ name: String) -> String { "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }

    private mutating func names(_ count: Int) -> [String] {
        Array(RandomTables.oddNames.shuffled(using: &random).prefix(count))
    }

    // MARK: Types

    private mutating func makeTypes(_ extensions: Set<String>) {
        for name in extensions.sorted() { statements.append("CREATE EXTENSION \(name)") }
        statements += [
            "CREATE TYPE mood AS ENUM ('', 'sad', 'it''s', '\"q\"', 'a,b', '{}', 'naïve 😀')",
            "CREATE TYPE \"Pa.ir\" AS (a integer, \"B\" text, c timestamptz[])",
            "CREATE TYPE nested AS (p \"Pa.ir\", m mood[], j jsonb)",
            "CREATE TYPE span AS RANGE (subtype = text)",
            "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
            "CREATE DOMAIN words AS text[]", "CREATE DOMAIN pair_domain AS \"Pa.ir\"",
            "CREATE DOMAIN deeper AS positive",
        ]
        schemas = ["public"] + names(2).map(RandomTables.quote)
        for schema in schemas.dropFirst() { statements.append("CREATE SCHEMA \(schema)") }
    }

    // MARK: Tables

    /// Every type gets a column, spread over some tables; and some types a few more.
    private mutating func makeTables() {
        var types = values.types.shuffled(using: &random)
        types += types.prefix(20)
        var index = 0
        while !types.isEmpty {
            let count = min(types.count, Int.random(in: 1...12, using: &random))
            makeTable(index, Array(types.prefix(count)))
            types.removeFirst(count)
            index += 1
        }
        // Without columns, without rows, with columns that are computed.
        statements += [
            "CREATE TABLE none ()", "INSERT INTO none DEFAULT VALUES", "CREATE TABLE empty (a integer, b text[])",
            "CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED, c text)",
            "INSERT INTO computed (a, c) VALUES (1, 'x'), (NULL, NULL)",
        ]
    }

    private mutating func makeTable(_ index: Int, _ types: [String]) {
        let odd = names(types.count + 1)
        // The number keeps the name apart from others of the same schema.
        let name = (schemas.randomElement(using: &random) ?? "public") + "." + RandomTables.quote("\(index)" + odd[0])
        let columns = zip(odd.dropFirst(), types).map { "\(RandomTables.quote($0)) \($1)" }.joined(separator: ", ")
        statements.append("CREATE TABLE \(name) (\(columns))")
        let rows = (0..<Int.random(in: 0...25, using: &random)).map { _ in
            let cells = types.map { random.chance(1, in: 6) ? "NULL" : values.value(of: $0, &random) }
            return "(\(cells.joined(separator: ", ")))"
        }
        if !rows.isEmpty { statements.append("INSERT INTO \(name) VALUES \(rows.joined(separator: ",\n"))") }
    }
}
