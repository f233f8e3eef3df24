import BackupCore
import CSQLite
import DatabaseSource
import Foundation

/// A database file of its own in a directory of its own, which go with it.
final class SourceFixture {
    struct SQLFailure: Error {
        var message: String
    }

    let directory: String
    let path: String

    init(_ sql: String = "") throws {
        directory = NSTemporaryDirectory() + "/source-" + UUID().uuidString
        path = directory + "/test.sqlite"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if !sql.isEmpty { try run(sql) }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func run(_ sql: String) throws {
        let writer = try Writer(path)
        try writer.run(sql)
    }

    func snapshot(_ configure: (inout SnapshotOptions) -> Void = { _ in }) throws -> SQLiteSnapshot {
        var options = SnapshotOptions()
        options.lockTimeout = .milliseconds(50)
        configure(&options)
        return try SQLiteSnapshot.open(path: path, options: options)
    }

    /// The row objects of one table of a fresh snapshot.
    func rows(of table: String, _ configure: (inout SnapshotOptions) -> Void = { _ in }) throws -> [String] {
        try SourceFixture.rows(of: table, in: snapshot(configure))
    }

    static func rows(of table: String, in snapshot: SQLiteSnapshot) throws -> [String] {
        guard let description = snapshot.schema.tables.first(where: { $0.name == table }) else {
            throw SQLFailure(message: "no table \(table) in the snapshot")
        }
        let reader = try snapshot.reader(for: description)
        let batch = RowBatch()
        var rows: [String] = []
        var acceptsLargeRow = false
        while true {
            batch.reset(prefix: [], opensTable: rows.isEmpty)
            let result = try reader.fill(batch, acceptsLargeRow: acceptsLargeRow)
            let before = rows.count
            for span in batch.rows {
                let text = UnsafeRawBufferPointer(
                    start: batch.bytes + Int(span.start), count: Int(span.end - span.start))
                guard let row = String(validating: text, as: UTF8.self) else {
                    throw SQLFailure(message: "a row that is not UTF-8")
                }
                rows.append(row)
            }
            let whole = UnsafeRawBufferPointer(start: batch.bytes, count: batch.count)
            let breaks = whole.count { $0 == UInt8(ascii: "\n") }
            guard breaks == rows.count - before else { throw SQLFailure(message: "a line break inside a row") }
            if result == .last { return rows }
            acceptsLargeRow = result == .largeRowNext
        }
    }

    /// The one line that refuses `body`, or nil where it passed.
    static func refusal(_ body: () throws -> Void) -> BackupError? {
        do {
            try body()
            return nil
        } catch {
            return error as? BackupError
        }
    }

    /// A connection as an application has it.
    final class Writer {
        private var handle: OpaquePointer?

        init(_ path: String) throws {
            guard sqlite3_open(path, &handle) == SQLITE_OK else { throw SQLFailure(message: "cannot open \(path)") }
        }

        deinit { sqlite3_close_v2(handle) }

        func run(_ sql: String) throws {
            guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
                throw SQLFailure(message: String(cString: sqlite3_errmsg(handle)) + " in " + sql.prefix(200))
            }
        }
    }
}
