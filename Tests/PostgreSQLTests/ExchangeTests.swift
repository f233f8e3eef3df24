import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("PostgreSQL, exports and imports", .enabled(if: TestServer.isWanted, "\(TestServer.hint)"))
struct ExchangeTests {
    static let definition = """
        CREATE SCHEMA other;
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE TABLE users (id serial PRIMARY KEY, name text, price numeric(20, 6), at timestamptz, local timestamp, day date,
            data jsonb, raw json, bytes bytea, ratio double precision, good boolean, tags text[], span int4range, mood mood);
        CREATE TABLE other.identities (id bigint PRIMARY KEY, "user" integer REFERENCES users);
        CREATE TABLE nothing (x text);
        """
    static let rows = """
        INSERT INTO users (name, price, at, local, day, data, raw, bytes, ratio, good, tags, span, mood)
            SELECT 'user ' || i, i * 1.000001, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour',
                '2026-01-01'::timestamp + i * interval '1 minute', '2026-01-01'::date + i, jsonb_build_object('k', i),
                '{ "a" :  1 }', decode('00ff', 'hex'), i / 3.0, i % 2 = 0, ARRAY['a', '"', NULL], int4range(1, i + 2), 'happy'
            FROM generate_series(1, 300) i;
        INSERT INTO users (name, price, ratio, data) VALUES (NULL, 'NaN', 'Infinity', 'null'),
            (E'tab\\t "q", <&> \\r\\n ünï😀', -12345678901234.567891, '-Infinity', '"text"'), ('', 0, 'NaN', '[]');
        INSERT INTO other.identities VALUES (9007199254740993, 1), (1, NULL);
        """

    private func export(
        _ format: ExportFormat, of source: ServerDatabase, _ engine: BackupEngine, _ types: [String] = [],
        filters: String? = nil
    ) async throws -> ExportResponse {
        var request = ExportRequest(format: format)
        request.source = try source.url
        request.resourceTypes = types
        request.filters = filters.map { Array($0.utf8) }
        return try await engine.export(request)
    }

    @Test(
        "json and ndjson give back the very same rows, and ids go on behind them",
        arguments: [ExportFormat.json, .ndjson])
    func roundTrip(format: ExportFormat) async throws {
        let source = try ServerDatabase(Self.definition + Self.rows)
        let target = try ServerDatabase(Self.definition)
        let engine = try await BackupBench().engine()
        let response = try await export(format, of: source, engine)
        #expect(response.recordCounts["users"] == 303 && response.recordCounts[#""other"."identities""#] == 2)
        var request = ImportRequest(
            path: response.filePath, form: format == .json ? .json : .lines, target: try target.url)
        request.dryRun = true
        #expect(try await engine.importFile(request).totalRecords == 305)
        #expect(try target.rows("SELECT count(*) FROM users") == ["0"])
        request.dryRun = false
        #expect(try await engine.importFile(request).totalRecords == 305)
        #expect(try target.dump("--data-only") == source.dump("--data-only"))
        #expect(await failure { _ = try await engine.importFile(request) }.code == .target)
        request.clearExisting = true
        _ = try await engine.importFile(request)
        #expect(try target.dump("--data-only") == source.dump("--data-only"))
    }

    static let choices: [(String, String)] = [
        (#"{"price":{"gte":10.00001,"lt":12}}"#, "price >= 10.00001 AND price < 12"),
        (#"{"price":-12345678901234.567891}"#, "price = -12345678901234.567891"),
        (#"{"ratio":{"gt":99}}"#, "ratio > 99 AND ratio <> 'NaN'"), (#"{"name":null}"#, "name IS NULL"),
        (#"{"good":true,"id":{"lte":10}}"#, "good AND id <= 10"),
        (#"{"day":["2026-01-03","2026-01-05"]}"#, "day IN ('2026-01-03', '2026-01-05')"),
        (
            #"{"at":{"gte":"2026-01-01T05:00:00+02:00","lt":"2026-01-01 06:00:00"}}"#,
            "at >= '2026-01-01 03:00+00' AND at < '2026-01-01 06:00+00'"
        ),
        (#"{"local":{"lt":"2026-01-01T00:10"}}"#, "local < '2026-01-01 00:10'"),
    ]

    @Test("Filters take the rows that the server would", arguments: choices)
    func filters(filter: String, condition: String) async throws {
        let source = try ServerDatabase(Self.definition + Self.rows)
        let response = try await export(
            .xml, of: source, try await BackupBench().engine(), ["user"], filters: filter)
        let expected = try source.rows("SELECT count(*) FROM users WHERE \(condition)")
        #expect(response.recordCounts["user"].map { ["\($0)"] } == expected)
        #expect(expected != ["0"])
    }
}
