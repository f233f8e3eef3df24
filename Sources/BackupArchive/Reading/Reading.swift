internal import BackupCore

/// The side of a reading that walks through the file, on a thread of its own, and fills slots.
protocol ReadingProducer: AnyObject, Sendable {
    func run() throws
}

/// One reading of an archive of either form: a producer fills slots from the file, workers make rows of them, and the
/// caller's thread takes the rows in order.
struct Reading {
    let pipeline: OrderedPipeline<ReadSlot>
    let box = StageBox()

    init(workers: Int, work: @escaping @Sendable (_ worker: Int, _ slot: ReadSlot) throws -> Void) {
        pipeline = OrderedPipeline(slots: (0..<workers + 2).map { _ in ReadSlot() }, workers: workers, work: work)
    }

    /// Runs to the end, and returns what was found of each table.
    func run(
        _ producer: any ReadingProducer, consumer: any ArchiveConsumer, observers: [any ReadingObserver] = []
    ) throws -> [TableTotals] {
        defer { pipeline.stop() }
        pipeline.startThread(named: "archive-reader") { [pipeline] in
            do {
                try producer.run()
                pipeline.endOfInput()
            } catch {
                pipeline.fail(error)
            }
        }
        var totals: [TableTotals] = []
        var rows: Int64 = 0
        var bytes: Int64 = 0
        while let slot = try pipeline.nextDone() {
            switch slot.kind {
            case .tableBegins(let name, let description):
                totals.append(TableTotals(name: name))
                for observer in observers { try observer.tableBegan(description) }
                box.stage = try consumer.beginTable(name, description: description)
            case .rows:
                if let header = slot.header {
                    for observer in observers { try observer.rows(in: slot, header) }
                }
                totals[totals.count - 1].rows += Int64(slot.batch.rowCount)
                totals[totals.count - 1].digest.add(slot.batch.digest)
                rows += Int64(slot.batch.rowCount)
                bytes += Int64(slot.batch.count)
                try slot.stage?.deliver(slot.batch, slot.stageBuffer())
                try consumer.advanced(table: slot.table, rows: rows, bytes: bytes)
            case .tableEnds:
                let table = totals[totals.count - 1]
                for observer in observers { try observer.tableEnded(table) }
                try consumer.endTable(table)
            case .summary:
                for observer in observers { try observer.summary(slot, totals) }
            }
            slot.recycle()
            pipeline.release()
        }
        return totals
    }
}
