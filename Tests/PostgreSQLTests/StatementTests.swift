import BackupCore
import DatabaseSource
import Testing

@Suite("Definitions, statement by statement")
struct StatementTests {
    @Test(
        "A semicolon ends a statement where it is one",
        arguments: [
            ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
            ("-- a; comment\n/* b; /* c; */ ; */ SELECT ';';", ["SELECT ';'"]),
            ("SELECT 'it''s;', E'a\\';b', \"q\"\"u;\";x", ["SELECT 'it''s;', E'a\\';b', \"q\"\"u;\"", "x"]),
            ("SELECT 'back\\';y", ["SELECT 'back\\'", "y"]),
            ("DO $$ a; b $$; z", ["DO $$ a; b $$", "z"]),
            ("DO $a$ x; $b$ y; $$ ; $a$; z", ["DO $a$ x; $b$ y; $$ ; $a$", "z"]),
            (
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); z",
                ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "z"]
            ),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN 1=1 THEN 2 END; END; z",
                ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN 1=1 THEN 2 END; END", "z"]
            ),
            ("CREATE TABLE t (begin$ int); z", ["CREATE TABLE t (begin$ int)", "z"]),
            ("  \n-- nothing\n", []), ("", []), ("SELECT $1; SELECT a$b$c; d", ["SELECT $1", "SELECT a$b$c", "d"]),
        ])
    func splits(_ script: String, _ expected: [String]) {
        #expect(Array(PostgreSQLStatements(script)) == expected)
    }

    @Test(
        "An address shows no password",
        arguments: [
            ("postgresql://u:p@h:5432/db?sslmode=require", "postgresql://u@h:5432/db"),
            ("postgres://u:p@h/db", "postgresql://u@h/db"),
            ("postgresql+psycopg2://u:p%40@h/db", "postgresql://u@h/db"),
            ("postgresql://u:p@ss@h/db", "postgresql://u@h/db"), ("postgresql://h/db?password=p", "postgresql://h/db"),
            ("postgresql://u:p/x@h/db", "postgresql://u@h/db"), ("postgresql:", "postgresql://"),
            ("postgresql://a:1,b:2/db", "postgresql://a:1,b:2/db"), ("postgresql://user:word", "postgresql://…"),
        ])
    func redacted(_ address: String, _ expected: String) throws {
        #expect(try DatabaseURL(address).redacted == expected)
        #expect("\(try DatabaseURL(address))".contains(":p") == false)
    }

    @Test("An address from parts holds any character") func parts() {
        let address = PostgreSQLAddress(host: "::1", port: "5433", database: "a/b", user: "u@x", password: "p:/?#%é")
        #expect(address.connectionText == "postgresql://u%40x:p%3A%2F%3F%23%25%C3%A9@[::1]:5433/a%2Fb")
        let socket = PostgreSQLAddress(host: "/run/pg", port: "", database: "d", user: "", password: "")
        #expect(socket.connectionText == "postgresql://%2Frun%2Fpg/d")
    }
}
