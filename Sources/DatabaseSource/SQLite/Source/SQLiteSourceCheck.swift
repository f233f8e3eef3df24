internal import BackupCore
internal import CSQLite
internal import Dispatch
internal import Foundation

/// SQLite's own check of a source, on a thread and a connection of its own beside the backup.
///
/// A table whose rows break the rules that the schema states (two rows with one key, NULL where none may be, pages out
/// of order) can be read, and so backed up; its backup could not be restored. The check finds that while it can still
/// be mended (https://sqlite.org/pragma.html#pragma_quick_check).
final class SQLiteSourceCheck: @unchecked Sendable {
    private let connection: SQLiteConnection
    private let kind: SourceCheck
    private let finished = DispatchSemaphore(value: 0)
    /// Written by the checking thread before it signals, read after the signal.
    private var outcome: Result<[String], BackupError>?
    private var isOver = false

    /// Begins to check; nil where nothing is to be checked.
    static func begin(_ path: String, _ options: SnapshotOptions) throws(BackupError) -> SQLiteSourceCheck? {
        guard options.sourceCheck != .off else { return nil }
        let connection = try SQLiteSourceFile.open(path, lockTimeout: options.lockTimeout)
        let check = SQLiteSourceCheck(connection, options.sourceCheck)
        let thread = Thread {
            check.outcome = Result { () throws(BackupError) in
                try SQLiteSourceCheck.faults(check.connection, check.kind)
            }
            check.finished.signal()
        }
        thread.name = "source-check"
        thread.start()
        return check
    }

    private init(_ connection: SQLiteConnection, _ kind: SourceCheck) {
        self.connection = connection
        self.kind = kind
    }

    /// Waits for the check's end.
    ///
    /// - Returns: what to tell the user, each a line.
    /// - Throws: `source` where the check failed.
    func finish() throws(BackupError) -> [String] {
        guard !isOver else { return [] }
        isOver = true
        finished.wait()
        connection.close()
        return try SQLiteSourceCheck.judge(try outcome?.get() ?? [], path: connection.path)
    }

    /// Ends the check before its time.
    func cancel() {
        guard !isOver else { return }
        isOver = true
        sqlite3_interrupt(connection.handle)
        finished.wait()
        connection.close()
    }

    /// The same on a connection that nobody else uses, at once.
    static func run(on connection: SQLiteConnection, _ options: SnapshotOptions) throws(BackupError) -> [String] {
        guard options.sourceCheck != .off else { return [] }
        return try judge(try faults(connection, options.sourceCheck), path: connection.path)
    }

    private static func faults(
        _ connection: SQLiteConnection, _ kind: SourceCheck
    ) throws(BackupError) -> [String] {
        let pragma = kind == .full ? "integrity_check" : "quick_check"
        let statement = try connection.prepare("PRAGMA main.\(pragma)(100)")
        var faults: [String] = []
        while try statement.step() {
            let fault = (try statement.text(0) ?? "").split(separator: "\n").joined(separator: ", ")
            if fault != "ok" { faults.append(fault) }
        }
        guard !faults.isEmpty else { return [] }
        // SQLite before 3.41 looks for the values of a table without row numbers in the wrong places where its key's
        // columns do not come first, and finds NULL and other types that are not there.
        let mistaken = try tablesWithoutRowid(connection).map { " value in \($0)." }
        return faults.filter { fault in !mistaken.contains { fault.contains($0) } }
    }

    private static func tablesWithoutRowid(_ connection: SQLiteConnection) throws(BackupError) -> [String] {
        let statement = try connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr")
        var names: [String] = []
        while try statement.step() {
            if let name = try statement.text(0) { names.append(name.split(separator: "\n").joined(separator: ", ")) }
        }
        return names
    }

    /// A CHECK constraint that rows break is no obstacle: a restore does not apply it to what it did not change. (SQLite
    /// sees them only where it opened the database for writing, as a staged copy.)
    private static func judge(_ faults: [String], path: String) throws(BackupError) -> [String] {
        let (harmless, grave) = (faults.filter(isHarmless), faults.filter { !isHarmless($0) })
        guard grave.isEmpty else {
            let more = grave.count > 1 ? " (and \(grave.count - 1) more)" : ""
            throw BackupError(
                .source,
                "\(path) fails SQLite's own check: \(grave[0])\(more); its backup might not restore. Mend it (PRAGMA "
                    + "integrity_check tells all; REINDEX, or .recover into a new file), or set "
                    + "BACKUP_SOURCE_CHECK=off to take the backup as it is")
        }
        return harmless.map { "\($0): the rows are backed up and restored as they are" }
    }

    private static func isHarmless(_ fault: String) -> Bool { fault.hasPrefix("CHECK constraint failed in ") }
}
