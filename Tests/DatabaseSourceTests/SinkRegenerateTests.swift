import BackupCore
import DatabaseSource
import Foundation
import Testing

@Suite("New ids for rows that join others")
struct SinkRegenerateTests {
    private let directory: SinkDirectory
    private var path: String { directory.file("db") }

    private static let schema = """
        CREATE TABLE users(id INTEGER PRIMARY KEY, n);
        CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id));
        CREATE TABLE lines(order_id INTEGER REFERENCES orders(id), ln INTEGER, PRIMARY KEY(order_id, ln));
        CREATE TABLE notes(nid INTEGER PRIMARY KEY, order_id INTEGER, ln INTEGER, txt,
            FOREIGN KEY(order_id, ln) REFERENCES lines(order_id, ln));
        CREATE TABLE profile(id INTEGER PRIMARY KEY, user_id INTEGER UNIQUE REFERENCES users(id));
        CREATE TABLE gc(id INTEGER PRIMARY KEY, puser INTEGER REFERENCES profile(user_id), txt);
        CREATE TABLE tfk(id INTEGER PRIMARY KEY, u TEXT REFERENCES users(id), v);
        CREATE TABLE sent(id INTEGER PRIMARY KEY, u INTEGER REFERENCES users(id), v);
        """

    private static func rows(_ name: String) -> String {
        """
        INSERT INTO users VALUES(1,'\(name)A'),(2,'\(name)B');
        INSERT INTO orders VALUES(1,1),(2,2);
        INSERT INTO lines VALUES(1,1),(2,1),(2,2);
        INSERT INTO notes VALUES(1,1,1,'\(name)A'),(2,2,2,'\(name)B'),(3,NULL,7,NULL);
        INSERT INTO profile VALUES(1,2),(2,1);
        INSERT INTO gc VALUES(1,2,'\(name)B'),(2,1,'\(name)A');
        INSERT INTO tfk VALUES(1,'1','\(name)A'),(2,'2','\(name)B'),(3,NULL,NULL);
        INSERT INTO sent VALUES(1,1,'\(name)A'),(2,NULL,NULL);
        """
    }

    init() throws {
        directory = try SinkDirectory()
        _ = try SinkDatabase(path, SinkRegenerateTests.schema, SinkRegenerateTests.rows("tgt"))
    }

    private func options(tables: [String]? = nil) -> RestoreOptions {
        var options = RestoreOptions()
        options.dataOnly = true
        options.regenerateIDs = true
        options.tables = tables
        return options
    }

    /// The archive of a database with the same schema and rows of its own, changed by `sql`.
    private func archive(_ sql: String = "") throws -> SinkArchive {
        let source = directory.file("source")
        defer { try? FileManager.default.removeItem(atPath: source) }
        _ = try SinkDatabase(source, SinkRegenerateTests.schema, SinkRegenerateTests.rows("src"), sql)
        return try SinkArchive(of: source)
    }

    private func expectRefusal(_ words: [String], _ archive: SinkArchive, _ options: RestoreOptions) throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let found = failure { try archive.restore(into: path, options) }
        for word in words { #expect(found.contains(word), "\(found)") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    /// Every row that names a person must still lead to that person.
    private func expectRightLinks() throws {
        let database = try SinkDatabase(path)
        let links = [
            "SELECT txt, n FROM notes t JOIN lines l USING(order_id, ln) JOIN orders o ON o.id=t.order_id "
                + "JOIN users u ON u.id=o.user_id",
            "SELECT txt, n FROM gc JOIN profile p ON p.user_id=gc.puser JOIN users u ON u.id=p.user_id",
            "SELECT v, n FROM tfk t JOIN users u ON u.id=t.u", "SELECT v, n FROM sent t JOIN users u ON u.id=t.u",
        ]
        for link in links {
            let rows = try database.rows(link)
            #expect(rows.contains { $0[0].hasPrefix("src") } && rows.contains { $0[0].hasPrefix("tgt") }, "\(rows)")
            for row in rows { #expect(row[0] == row[1], "\(link): \(row)") }
        }
        #expect(try database.rows("PRAGMA foreign_key_check").isEmpty)
    }

    @Test func compositeIndirectAndTextReferencesFollow() throws {
        try archive().restore(into: path, options())
        try expectRightLinks()
        let database = try SinkDatabase(path)
        #expect(try database.rows("SELECT u, typeof(u) FROM tfk WHERE v='srcB'") == [["4", "text"]])
        #expect(try database.rows("SELECT order_id, ln FROM notes WHERE txt='srcB'") == [["4", "2"]])
        #expect(
            try database.rows("SELECT order_id, ln FROM notes WHERE txt IS NULL") == [["NULL", "7"], ["NULL", "7"]])
    }

    @Test func aSecondRestoreGoesBesideTheFirst() throws {
        try archive().restore(into: path, options())
        try archive().restore(into: path, options())
        try expectRightLinks()
        #expect(try SinkDatabase(path).first("SELECT count(*) FROM gc") == "6")
    }

    @Test(arguments: [0, -7, 2, 3, 99]) func valuesWithoutParentStayWithout(value: Int) throws {
        let change =
            "DELETE FROM profile; DELETE FROM gc; DELETE FROM tfk; DELETE FROM notes; DELETE FROM lines;"
            + "DELETE FROM orders; DELETE FROM users WHERE id=2; INSERT INTO sent VALUES(5,\(value),'x'),(6,\(value),'y')"
        try expectRefusal(
            ["2 rows of table \"sent\"", "\"users\"", "\"u\"", "value \(value) ", "without --regenerate-ids"],
            archive(change), options())
    }

    @Test(arguments: ["0", "7"]) func aValueThatDanglesInAnIntermediateTableIsRefused(value: String) throws {
        let change = "INSERT INTO gc VALUES(9,\(value),'x')"
        // The target has a profile without user, which nothing may come to refer to.
        try SinkDatabase(path).run("INSERT INTO profile VALUES(50, 8), (51, 9), (52, 10)")
        try expectRefusal(["1 rows of table \"gc\"", "\"puser\"", "value \(value) "], archive(change), options())
    }

    @Test func rowsOfTheTargetThatDangleAreNotAdopted() throws {
        try SinkDatabase(path).run(
            "INSERT INTO sent VALUES(7,3,'orphan'); INSERT INTO tfk VALUES(7,'4','orphan');"
                + "CREATE TABLE other(u REFERENCES users); INSERT INTO other VALUES(5);")
        try archive().restore(into: path, options())
        let database = try SinkDatabase(path)
        #expect(try database.rows("SELECT id FROM users ORDER BY id") == [["1"], ["2"], ["6"], ["7"]])
        #expect(try database.rows("PRAGMA foreign_key_check").count == 3)
    }

    @Test(arguments: ["'abc'", "'01'", "' 1'", "'-0'", "1.5", "x'31'", "1e300"])
    func whatIsNoWholeNumberIsRefused(value: String) throws {
        try expectRefusal(
            ["\"sent\"", "\"u\"", "row with id 8", "no whole number"],
            archive(
                "INSERT INTO sent VALUES(1000,NULL,NULL); DELETE FROM sent; DROP TABLE sent;"
                    + "CREATE TABLE sent(id INTEGER PRIMARY KEY, u, v); INSERT INTO sent VALUES(8,\(value),'x')"),
            options())
    }

    @Test func wholeRealsAndTextFollow() throws {
        let change =
            "DROP TABLE sent; CREATE TABLE sent(id INTEGER PRIMARY KEY, u, v);"
            + "INSERT INTO sent VALUES(1,1.0,'srcA'),(2,'2','srcB')"
        try SinkDatabase(path).run(
            "DROP TABLE sent; CREATE TABLE sent(id INTEGER PRIMARY KEY, u REFERENCES users(id), v);"
                + "INSERT INTO sent VALUES(1,1,'tgtA')")
        try archive(change).restore(into: path, options())
        try expectRightLinks()
        #expect(
            try SinkDatabase(path).rows("SELECT u, typeof(u) FROM sent ORDER BY id") == [
                ["1", "integer"], ["3.0", "real"], ["4", "text"],
            ])
    }

    @Test func aParentThatIsNotRestoredIsRefused() throws {
        try expectRefusal(
            ["\"orders\"", "\"user_id\"", "\"users\"", "--tables"], archive(), options(tables: ["orders"]))
        var excluded = try archive()
        excluded.tables.removeAll { $0.description.name == "users" }
        try expectRefusal(["\"users\"", "the archive holds no rows of \"users\""], excluded, options())
        try expectRefusal(["\"notes\"", "\"lines\""], archive(), options(tables: ["users", "orders", "notes"]))
    }

    @Test func aParentThatIsNotRestoredDoesNotMatterToNulls() throws {
        try archive("UPDATE orders SET user_id=NULL").restore(into: path, options(tables: ["orders"]))
        #expect(try SinkDatabase(path).rows("SELECT id FROM orders ORDER BY id") == [["1"], ["2"], ["3"], ["4"]])
    }

    @Test func naturalKeysOfOtherTablesStay() throws {
        let schema =
            "CREATE TABLE country(code TEXT PRIMARY KEY); CREATE TABLE town(id INTEGER PRIMARY KEY,"
            + "c REFERENCES country); INSERT INTO country VALUES('ch'); INSERT INTO town VALUES(1,'ch');"
        try SinkDatabase(path).run(schema)
        try archive(schema).restore(into: path, options(tables: ["town"]))
        #expect(try SinkDatabase(path).rows("SELECT id, c FROM town") == [["1", "ch"], ["2", "ch"]])
    }

    @Test func computedReferencesAreRefused() throws {
        let schema =
            "CREATE TABLE computed(raw, u AS (raw) STORED REFERENCES users(id)); INSERT INTO computed VALUES(1);"
        try SinkDatabase(path).run(schema)
        try expectRefusal(["\"computed\"", "\"u\"", "computed"], archive(schema), options())
    }

    @Test func foreignArchivesFollowToo() throws {
        let archive = SinkArchive(tables: [
            SinkTable(foreign: "tfk", [#"{"id": 1, "u": "1", "v": "srcA"}"#, #"{"id": 2, "u": 2, "v": "srcB"}"#]),
            SinkTable(foreign: "users", [#"{"id": 1, "n": "srcA"}"#, #"{"id": 2, "n": "srcB"}"#]),
        ])
        try archive.restore(into: path, options())
        #expect(
            try SinkDatabase(path).rows("SELECT v, n FROM tfk JOIN users u ON u.id=tfk.u WHERE v LIKE 'src%'") == [
                ["srcA", "srcA"], ["srcB", "srcB"],
            ])
        let alone = SinkArchive(tables: [SinkTable(foreign: "tfk", [#"{"id": 1, "u": "1", "v": "srcA"}"#])])
        try expectRefusal(["\"tfk\"", "\"users\""], alone, options())
    }
}
