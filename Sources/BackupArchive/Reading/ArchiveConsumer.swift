package import BackupCore

/// Takes what a reader finds in an archive. All calls come from the thread that called the reader, in the order in
/// which things stand in the archive.
package protocol ArchiveConsumer: AnyObject {
    /// A table begins. `description` is nil where the archive has none (what Elder wrote). Returns what is to be done
    /// with its rows; nil when they are only to be checked.
    func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)?
    /// A table ended, and its rows were found to be those that were written.
    func endTable(_ totals: TableTotals) throws
    /// Rows and bytes of text so far; called for each member.
    func advanced(table: String, rows: Int64, bytes: Int64) throws
}

/// What is done with a table's rows: a part that runs on several worker threads, and a part that runs in order.
package protocol RowStage: AnyObject, Sendable {
    /// A buffer for what ``process(_:_:)`` makes of a batch; used again and again.
    func makeBuffer() -> (any AnyObject & Sendable)?
    /// On a worker thread, each with its own batch and buffer. May change the batch's text.
    func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws
    /// On the reader's thread, in order.
    func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws
}
