import BackupCore
import BackupEngine
import Foundation
import Testing

/// A database with values that formats have trouble with, and what other programs read of an export.
struct ExportBench {
    let bench: Bench
    let engine: BackupEngine
    let source: String

    static let schema =
        "CREATE TABLE entities(id INTEGER PRIMARY KEY, name TEXT, score REAL, price DECIMAL(10,2), active BOOLEAN, "
        + "data JSON, blob BLOB, created_at TIMESTAMP, letter CHAR(1));"
        + "CREATE TABLE issues(id INTEGER PRIMARY KEY AUTOINCREMENT, entity_id INTEGER REFERENCES entities(id), title TEXT);"
        + "CREATE TABLE \"odd \"\" <&/.. name\"(\"a,b\" TEXT, \"c\"\"d\" INT);"
        + "CREATE TABLE empty(x TEXT);"

    static let rows =
        "INSERT INTO entities VALUES(1,'ada',1.5,'9.90',1,'{\"k\":[1,\"zwei\"]}',x'00ff10','2026-01-01 10:00:00','T'),"
        + "(2,'',-0.0,'10.00',0,'not json',x'','2026-01-02 10:00:00.5','F'),"
        + "(3,NULL,1e300,NULL,NULL,NULL,NULL,NULL,NULL),"
        + "(9007199254740993,'a \"quoted\", line' || char(10) || 'ünï😀' || char(13) || char(9) || ' end ',9e999,'-3.25',7,"
        + "'\"text\"',x'68656c6c6f','2025-12-31T23:59:59Z','x'),"
        + "(5,'ctl' || char(1) || char(65534) || '<&>]]>',0.1,'100',1,'null','text in blob','2026-02-01','T');"
        + "INSERT INTO issues VALUES(1,1,'=1+1'),(2,1,'two'),(7,2,'seven');"
        + "INSERT INTO \"odd \"\" <&/.. name\" VALUES('x',1),('',NULL);"

    init() async throws {
        bench = try Bench()
        source = bench.file("source.sqlite")
        _ = try TestDatabase(source, ExportBench.schema, ExportBench.rows)
        let url = DatabaseURL.sqlite(path: source)
        engine = try await bench.engine { $0.source = url }
    }

    func export(
        _ format: ExportFormat, _ types: [String] = [], filters: String? = nil
    ) async throws -> ExportResponse {
        var request = ExportRequest(format: format)
        request.resourceTypes = types
        request.filters = filters.map { Array($0.utf8) }
        return try await engine.export(request)
    }

    /// A database with the same tables and no rows.
    func target(_ name: String = "target.sqlite") throws -> String {
        let path = bench.file(name)
        _ = try TestDatabase(path, ExportBench.schema)
        return path
    }

    func importFile(
        _ path: String, into target: String, _ change: (inout ImportRequest) -> Void = { _ in }
    ) async throws -> ImportResponse {
        let form = try #require(ImportForm(filename: path))
        var request = ImportRequest(path: path, form: form, target: .sqlite(path: target))
        change(&request)
        return try await engine.importFile(request)
    }

    /// What a Python program prints.
    static func python(_ program: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure(description: "python3 failed") }
        return String(decoding: text, as: UTF8.self)
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}
