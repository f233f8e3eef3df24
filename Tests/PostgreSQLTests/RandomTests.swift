import BackupEngine
import Foundation
import Testing

@Suite("Random tables come back equal", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct RandomTests {
    /// `ELDER_BACKUP_SEED` runs one seed alone.
    static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["ELDER_BACKUP_SEED"].flatMap(UInt64.init).map { [$0] } ?? Array(1...6)

    @Test("every type, its arrays, odd names, several schemas", arguments: seeds)
    func roundTrip(_ seed: UInt64) async throws {
        let target = try ServerDatabase()
        let available = try target.rows(
            "SELECT name FROM pg_available_extensions WHERE name IN ('hstore', 'citext', 'ltree')")
        let script = RandomTables.script(seed: seed, extensions: Set(available))
        do {
            let source = try ServerDatabase(script)
            let engine = try await BackupBench().engine { $0.jobs = 3 }
            let backup = try await engine.backUp(source.address)
            try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
            try ServerDatabase.expectEqual(source, target)
            #expect(backup.recordCount > 50, "the generator makes no rows")
            // What was restored gives the same archive's rows again: no value was only seemingly equal.
            let again = try await engine.backUp(target.address)
            #expect(again.recordCount == backup.recordCount)
        } catch {
            Issue.record("seed \(seed) (ELDER_BACKUP_SEED=\(seed)): \(error)")
        }
    }

    /// A database whose server side text has another encoding than UTF-8.
    @Test(
        "Text of other encodings comes back equal, into the same and into UTF-8",
        arguments: [
            ("LATIN1", "äöü ÿ ¤ \\ \u{80}"), ("WIN1252", "€ „quotes“ ÿ Œ \\"), ("EUC_JP", "日本語 ｶﾅ ー \\"),
            ("LATIN9", "€ Š œ"), ("KOI8R", "Привет ёЁ"),
        ])
    func encodings(_ encoding: String, _ text: String) async throws {
        let locale = "ENCODING '\(encoding)' LOCALE 'C' TEMPLATE template0"
        let literal = "'" + text + "'"
        let source = try ServerDatabase(
            """
            CREATE SCHEMA "\(text.prefix(3))";
            CREATE TABLE "\(text.prefix(3))"."\(text.prefix(5))" (id integer, "\(text.prefix(2))" text, j json, a text[]);
            INSERT INTO "\(text.prefix(3))"."\(text.prefix(5))" VALUES
                (1, \(literal), to_json(\(literal)::text), ARRAY[\(literal), NULL]), (2, '', '{}', '{}');
            COMMENT ON TABLE "\(text.prefix(3))"."\(text.prefix(5))" IS \(literal);
            """, creation: locale)
        let engine = try await BackupBench().engine()
        let backup = try await engine.backUp(source.address)
        for creation in [locale, ""] {
            let target = try ServerDatabase(creation: creation)
            let response = try await engine.restore(backup.filename, into: target.address) { $0.prove = true }
            #expect(response.totalRecords == 2)
            #expect(response.warnings.contains { $0.contains("encoding and locale") } == creation.isEmpty)
            try ServerDatabase.expectEqual(source, target, "--encoding=UTF8")
        }
    }
}
