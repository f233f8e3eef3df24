internal import BackupCore

/// One step on the way from an archive to a consumer.
final class ReadSlot: @unchecked Sendable {
    enum Kind {
        case tableBegins(String, TableDescription?)
        case rows
        case tableEnds
        case summary
    }

    let batch = RowBatch()
    let member = ByteBuffer(capacity: MemberBoundary.largest)
    var kind = Kind.tableEnds
    /// Set for rows and summary of archives with members.
    var header: MemberHeader?
    var offset = 0
    var table = ""
    var isFirstTable = false
    var stage: (any RowStage)?
    private var buffer: (any AnyObject & Sendable)?
    private var bufferStage: (any RowStage)?

    /// The buffer that goes with the slot's stage.
    func stageBuffer() -> (any AnyObject & Sendable)? {
        guard let stage else { return nil }
        if bufferStage !== stage {
            buffer = stage.makeBuffer()
            bufferStage = stage
        }
        return buffer
    }

    func recycle() {
        batch.reset()
        member.shrink()
        header = nil
        stage = nil
    }
}

/// What the thread that produces slots must know of the consumer's decisions. Written by the consumer and read by the
/// producer, with the pipeline's ``OrderedPipeline/drain()`` in between.
final class StageBox: @unchecked Sendable {
    var stage: (any RowStage)?
}
