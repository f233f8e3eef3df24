package import BackupCore

/// What a restore is to do with its target.
package struct RestoreOptions: Sendable {
    /// Only these tables; all that the archive holds when nil.
    package var tables: [String]?
    /// Do everything, then undo it.
    package var dryRun = false
    /// Delete the rows of the tables to be restored first.
    package var clearExisting = false
    /// Give rows new ids, and rewrite declared foreign keys to match.
    package var regenerateIDs = false
    /// Do not create anything: load rows into tables that are there.
    package var dataOnly = false
    /// Accept definitions from the archive that could do more than define (`docs/restore.md`).
    package var trustSchema = false
    /// Leave owners and privileges out: their roles may not be there.
    package var skipsOwners = false
    /// Over how many connections an empty database is filled, where the engine has connections.
    package var jobs = 1
    /// The UUID of the installation that restores: what it leaves behind when it is killed, it finds again by this.
    package var installation = ""
    /// How long to wait for a lock before giving up.
    package var lockTimeout: Duration = .seconds(30)
    /// How long one statement may take, where the engine can limit that; nil for no limit.
    package var statementTimeout: Duration?
    /// Tables of the target that are never written, by the target's own way to compare names: a catalog that lives in
    /// the target.
    package var protectedTables: Set<String> = []
    /// Asked now and then by what takes long; true ends it with `cancelled`.
    package var isCancelled: @Sendable () -> Bool = { false }

    package init() {}
}

/// What is known of an archive before its rows are read.
package struct ArchiveContents: Sendable {
    /// Nil for an archive without one: what Elder wrote.
    package var source: SourceDescription?
    /// Nil for an archive without one: what Elder wrote.
    package var schema: SchemaDocument?

    package init(source: SourceDescription?, schema: SchemaDocument?) {
        self.source = source
        self.schema = schema
    }
}

/// What a target has to say once everything is loaded.
package struct LoadReport: Sendable, Equatable {
    /// What the user should know, each a line: foreign keys without a parent, undeclared references, …
    package var warnings: [String] = []

    package init(warnings: [String] = []) { self.warnings = warnings }
}

/// A database that is being restored: nothing of it can be seen from outside before ``commit()``, and nothing is left
/// after ``rollback()``.
///
/// The order of calls: `prepare`, then where ``needsSurvey`` every batch of every table once through
/// ``TableLoader/survey(_:)`` and `endSurvey`, then every batch through ``TableLoader/load(_:)``, then `finishLoading`,
/// optionally `proof`, then `commit` or `rollback`. Calls block, and all but ``TableLoader/decode(_:into:)`` come from
/// one thread, never one of Swift's cooperative pool.
package protocol RestoreTarget: AnyObject {
    /// Opens the target, checks that the restore can be done, and creates what must be there before rows come.
    /// Throws before anything is changed where the target must refuse.
    func prepare(_ contents: ArchiveContents, options: RestoreOptions) throws
    /// The tables of the archive whose rows are to be read, once `prepare` has decided; nil for all of them.
    var tablesToLoad: Set<ExactName>? { get }
    /// Whether the rows must be seen once before they are loaded.
    var needsSurvey: Bool { get }
    /// Ends the survey.
    func endSurvey() throws
    /// Begins a table: `description` is nil for an archive without schema. Throws when the target cannot take it.
    func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader
    /// Builds what waits for the rows (indexes, counters), and checks what was not checked while loading.
    func finishLoading() throws -> LoadReport
    /// Reads the target back as it will be after the commit, for a proof.
    func proof() throws -> any DatabaseSnapshot
    /// Makes the restored data visible and durable, all at once. Returns what the user should know, each a line.
    @discardableResult
    func commit() throws -> [String]
    /// Leaves the target as it was. Safe to call more than once, and after a failed ``commit()``.
    func rollback()
}

/// Rows made ready for a target by ``TableLoader/decode(_:into:)``; its layout is the target's own affair.
package protocol DecodedRows: AnyObject, Sendable {}

/// Takes the rows of one table.
package protocol TableLoader: AnyObject, Sendable {
    /// A buffer for decoded rows, to be used again and again.
    func makeBuffer() -> any DecodedRows
    /// Turns a batch of row objects into what the target wants. May change the batch's text, which the decoded rows
    /// may point into. Called from several threads at once, each with its own batch and buffer.
    func decode(_ batch: RowBatch, into rows: any DecodedRows) throws
    /// Looks at rows before the real pass (``RestoreTarget/needsSurvey``).
    func survey(_ rows: any DecodedRows) throws
    /// Puts rows into the table, in order.
    func load(_ rows: any DecodedRows) throws
}
