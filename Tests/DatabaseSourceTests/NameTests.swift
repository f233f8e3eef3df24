import BackupCore
import DatabaseSource
import Foundation
import Testing

/// Names that differ in bytes but not for Unicode, in letter case, or in kind of object only.
@Suite("Names")
struct NameTests {
    private let directory: SinkDirectory
    private var source: String { directory.file("source") }
    private var new: String { directory.file("new") }

    init() throws { directory = try SinkDirectory() }

    /// Backs up and restores as the engine does, without an archive in between. Gives the warnings.
    @discardableResult
    private func copy(
        to path: String, _ options: RestoreOptions = RestoreOptions(), proves: Bool = false,
        _ snapshotOptions: SnapshotOptions = SnapshotOptions()
    ) throws -> [String] {
        let snapshot = try SQLiteSnapshot.open(path: source, options: snapshotOptions)
        let target = SQLiteTarget(path: path)
        defer { target.rollback() }
        try target.prepare(ArchiveContents(source: snapshot.source, schema: snapshot.schema), options: options)
        var digests: [ExactName: TableDigest] = [:]
        for table in snapshot.schema.tables
        where target.tablesToLoad?.contains(ExactName(table.name)) ?? true {
            let loader = try target.loader(forTable: table.name, description: table)
            let buffer = loader.makeBuffer()
            digests[ExactName(table.name)] = try read(table, of: snapshot) { batch in
                try loader.decode(batch, into: buffer)
                try loader.load(buffer)
            }
        }
        let warnings = try target.finishLoading().warnings
        if proves {
            let proof = try target.proof()
            #expect(!proof.schema.tables.isEmpty)
            for table in proof.schema.tables {
                #expect(try read(table, of: proof) { _ in } == digests[ExactName(table.name)])
            }
        }
        try target.commit()
        return warnings
    }

    private func read(
        _ table: TableDescription, of snapshot: any DatabaseSnapshot, _ body: (RowBatch) throws -> Void
    ) throws -> TableDigest {
        let reader = try snapshot.reader(for: table)
        var digest = TableDigest()
        while true {
            let batch = RowBatch()
            let result = try reader.fill(batch, acceptsLargeRow: true)
            digest.add(batch.digest)
            try body(batch)
            if result == .last { return digest }
        }
    }

    private func expectSame(_ path: String) throws {
        #expect(try vacuumed(source, in: directory) == vacuumed(path, in: directory))
    }

    private func options(_ change: (inout RestoreOptions) -> Void) -> RestoreOptions {
        var options = RestoreOptions()
        change(&options)
        return options
    }

    @Test func aTriggerMayHaveTheNameOfATable() throws {
        _ = try SinkDatabase(
            source, "CREATE TABLE a(x)", "CREATE TRIGGER b AFTER INSERT ON a BEGIN SELECT 1; END",
            "CREATE TABLE b(y, g AS (y + 1))", "INSERT INTO b VALUES(1),(2)")
        try copy(to: new, proves: true)
        try expectSame(new)
        let ledger = try SQLiteSnapshot.open(path: source, options: SnapshotOptions()).schema.ledger
        #expect(ledger.filter { $0.name == "b" }.map { $0.reason == nil } == [true, false])
        try copy(to: directory.file("chosen"), options { $0.tables = ["b"] })
        #expect(try SinkDatabase(directory.file("chosen")).rows("SELECT y FROM b") == [["1"], ["2"]])
    }

    @Test func aDefinitionMaySpellItsTableInAnotherCase() throws {
        _ = try SinkDatabase(
            source, "CREATE TABLE users(id INTEGER PRIMARY KEY, n)", "CREATE VIEW v AS SELECT * FROM USERS",
            "CREATE TRIGGER tr AFTER INSERT ON Users BEGIN SELECT 1; END",
            "CREATE TRIGGER iv INSTEAD OF INSERT ON V BEGIN SELECT 2; END", "CREATE INDEX ix ON USERS(N)",
            "INSERT INTO users VALUES(1,'x')")
        try copy(to: new, proves: true)
        try expectSame(new)
        let chosen = directory.file("chosen")
        try copy(to: chosen, options { $0.tables = ["users"] })
        #expect(
            try SinkDatabase(chosen).rows("SELECT name FROM sqlite_schema ORDER BY 1") == [["ix"], ["tr"], ["users"]])
    }

    @Test(arguments: [true, false]) func theCatalogIsProtectedInAnyCase(hasSchema: Bool) throws {
        _ = try SinkDatabase(
            new, "CREATE TABLE backups(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INTEGER PRIMARY KEY)",
            "INSERT INTO backups VALUES(7)")
        let rows = [#"{"id":1}"#]
        let archive = SinkArchive(
            tables: hasSchema
                ? [SinkTable("BACKUPS", ["id"], rows), SinkTable("t", ["id"], rows)]
                : [SinkTable(foreign: "BACKUPS", rows), SinkTable(foreign: "t", rows)])
        let warnings = try archive.restore(
            into: new,
            options {
                $0.clearExisting = true
                $0.protectedTables = ["backups"]
            })
        #expect(warnings.contains { $0.contains("BACKUPS") })
        #expect(try SinkDatabase(new).rows("SELECT id FROM backups UNION ALL SELECT id FROM t") == [["7"], ["1"]])
    }

    /// The same letters, as one character and as two.
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test func namesAreBytesAndNotWhatUnicodeHoldsForEqual() throws {
        let (one, two) = (Self.composed, Self.decomposed)
        _ = try SinkDatabase(
            source, "CREATE TABLE \(one)(\(one), \(two) PRIMARY KEY, Ä, ä)", "CREATE TABLE \(two)(\(two), g AS (1))",
            "CREATE INDEX i\(one) ON \(one)(\(two))", "CREATE INDEX i\(two) ON \(two)(\(two))",
            "CREATE VIRTUAL TABLE f\(one) USING fts5(a)", "CREATE VIRTUAL TABLE f\(two) USING fts5(a)",
            "CREATE TABLE \"\u{301}x\"(a PRIMARY KEY)", "CREATE TABLE \"a\"\"\u{301}\"(\"b\"\"\u{301}\")",
            "INSERT INTO \(one) VALUES(1,2,3,4)", "INSERT INTO \(two) VALUES(5),(6)",
            "INSERT INTO f\(one) VALUES('x')", "INSERT INTO f\(two) VALUES('y z'),('z')",
            "INSERT INTO \"a\"\"\u{301}\" VALUES(9)")
        try copy(to: new, proves: true)
        try expectSame(new)
        let there = directory.file("there")
        _ = try SinkDatabase(
            there, "CREATE TABLE \(one)(ä, \(two) PRIMARY KEY, Ä, \(one))", "CREATE TABLE \(two)(\(two))")
        try copy(
            to: there,
            options {
                $0.dataOnly = true
                $0.tables = [one, two]
            }, proves: true)
        let database = try SinkDatabase(there)
        #expect(try database.rows("SELECT \(one),\(two),Ä,ä FROM \(one)") == [["1", "2", "3", "4"]])
        #expect(try database.rows("SELECT \(two) FROM \(two)") == [["5"], ["6"]])
    }

    @Test func oneOfTwoSuchTablesCanBeChosen() throws {
        let (one, two) = (Self.composed, Self.decomposed)
        _ = try SinkDatabase(
            source, "CREATE TABLE \(one)(a)", "CREATE TABLE \(two)(a)", "INSERT INTO \(one) VALUES(1)",
            "INSERT INTO \(two) VALUES(2)")
        try copy(to: new, options { $0.tables = [two] })
        let names = try SinkDatabase(new).rows("SELECT name FROM sqlite_schema").map { ExactName($0[0]) }
        #expect(names == [ExactName(two)])
        var chosen = SnapshotOptions()
        chosen.excludedTables = [one]
        let snapshot = try SQLiteSnapshot.open(path: source, options: chosen)
        #expect(snapshot.schema.tables.map { ExactName($0.name) } == [ExactName(two)])
        #expect(snapshot.schema.ledger.map(\.holding) == [.excluded, .stored])
    }

    @Test func aColumnInUnicodesOtherCaseIsAnotherColumn() throws {
        _ = try SinkDatabase(new, "CREATE TABLE t(ä)")
        let archive = SinkArchive(tables: [SinkTable("t", ["Ä"], [#"{"Ä":1}"#])])
        #expect(failure { try archive.restore(into: new) }.contains("lacks \"Ä\""))
        let twice = SinkArchive(tables: [SinkTable("t", ["ä", "A", "a"], [#"{"ä":1,"A":1,"a":2}"#])])
        try SinkDatabase(new).run("ALTER TABLE t ADD COLUMN a")
        #expect(failure { try twice.restore(into: new) }.contains("are one column there"))
    }

    @Test(arguments: [true, false]) func twoTablesNeverGoIntoOne(hasSchema: Bool) throws {
        _ = try SinkDatabase(new, "CREATE TABLE users(id INTEGER PRIMARY KEY)", "INSERT INTO users VALUES(7)")
        let tables = ["users", "Users"].map { name in
            hasSchema ? SinkTable(name, ["id"], [#"{"id":1}"#]) : SinkTable(foreign: name, [#"{"id":1}"#])
        }
        let words = failure {
            try SinkArchive(tables: tables).restore(into: new, options { $0.clearExisting = true })
        }
        #expect(words.contains("\"users\" and \"Users\" are one table"), "\(words)")
        #expect(try SinkDatabase(new).rows("SELECT id FROM users") == [["7"]])
    }

    @Test func aTableInAnotherCaseIsProven() throws {
        _ = try SinkDatabase(source, "CREATE TABLE users(id INTEGER PRIMARY KEY, n)", "INSERT INTO users VALUES(1,'x')")
        _ = try SinkDatabase(new, "CREATE TABLE USERS(ID INTEGER PRIMARY KEY, N)")
        try copy(to: new, proves: true)
        #expect(try SinkDatabase(new).rows("SELECT id,n FROM users") == [["1", "x"]])
    }

    @Test func aLinkToNowhereIsRefusedAtOnce() throws {
        _ = try SinkDatabase(source, "CREATE TABLE t(a)")
        try FileManager.default.createSymbolicLink(atPath: new, withDestinationPath: directory.file("nowhere"))
        let words = failure { try copy(to: new) }
        #expect(words.contains("symbolic link") && words.contains("/nowhere"), "\(words)")
        #expect(directory.names == ["new", "source"])
    }

    @Test(arguments: ["n", "\u{E9}"], [199, 201, 247]) func aLongNameIsTaken(letter: String, length: Int) throws {
        _ = try SinkDatabase(source, "CREATE TABLE t(a)", "INSERT INTO t VALUES(1)")
        var name = String(repeating: letter, count: length / letter.utf8.count)
        while name.utf8.count < length { name += "x" }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        let target = SQLiteTarget(path: directory.file(name))
        let snapshot = try SQLiteSnapshot.open(path: source, options: SnapshotOptions())
        try target.prepare(
            ArchiveContents(source: snapshot.source, schema: snapshot.schema), options: RestoreOptions())
        let hidden = try #require(directory.names.first { $0.hasPrefix(".") })
        target.rollback()
        #expect(directory.names == ["source"])
        // What a process that is no more has left of this target goes, and nobody else's.
        let suffix = try #require(hidden.range(of: ".restoring-")?.upperBound)
        let leftover = hidden[..<suffix] + "\(process.processIdentifier)-1"
        let other = ".other.restoring-\(process.processIdentifier)-1"
        for name in [String(leftover), other] { try Data().write(to: URL(fileURLWithPath: directory.file(name))) }
        try copy(to: directory.file(name))
        #expect(directory.names == [name, other, "source"].sorted())
        try expectSame(directory.file(name))
    }

    @Test func tablesWithoutRowsAreTold() throws {
        _ = try SinkDatabase(
            source, "CREATE TABLE a(x)", "CREATE TABLE b(x)", "CREATE VIRTUAL TABLE f USING fts5(x)",
            "INSERT INTO a VALUES(1)", "INSERT INTO b VALUES(1)", "INSERT INTO f VALUES('x')")
        var chosen = SnapshotOptions()
        chosen.excludedTables = ["b", "f"]
        let warnings = try copy(to: new, RestoreOptions(), chosen)
        #expect(warnings == ["the archive holds no rows of these tables, which stay empty: \"b\", \"f\""])
        #expect(try copy(to: directory.file("all")).isEmpty)
    }

    @Test func whatDoesNotFitIsNotCalledDamage() throws {
        let archive = SinkArchive(
            objects: [SinkArchive.object("table", "t", "CREATE TABLE t(a)")],
            tables: [SinkTable("t", ["b"], []), SinkTable("u", ["a"], [])])
        #expect(throws: BackupError.self) { try archive.restore(into: new) }
        do {
            try archive.restore(into: new)
        } catch let error as BackupError {
            #expect(error.code == .unsupported)
        }
    }
}
