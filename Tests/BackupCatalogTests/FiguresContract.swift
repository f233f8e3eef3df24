import BackupCatalog
import BackupCore
import Foundation
import Testing

/// What every ``CatalogStore`` must tell monitoring.
@Suite struct FiguresContract {
    private let directory: TemporaryDirectory
    private let start = Timestamp(microseconds: 1_761_739_200_000_000)

    init() throws { directory = try TemporaryDirectory() }

    private func after(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: start.microseconds + seconds * 1_000_000)
    }

    private func run(
        _ catalog: any CatalogStore, job: Int64, _ status: BackupRecord.Status, from: Int64, to: Int64, size: Int64 = 0,
        holding content: BackupContent? = nil
    ) throws -> BackupRecord {
        var record = try catalog.beginRun(
            jobID: job, filename: "b\(from).json.gz", filePath: "/b\(from).json.gz", content: content,
            process: .current(),
            at: after(from))
        guard status != .running else { return record }
        record.status = status
        record.completedAt = after(to)
        record.durationSeconds = Double(to - from)
        record.fileSize = size
        record.recordCount = size / 10
        try catalog.update(record)
        return record
    }

    @Test(arguments: CatalogImplementation.allCases)
    func tellsFigures(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        var query = FiguresQuery(since: after(100))
        #expect(try catalog.figures(query) == CatalogFigures())
        var change = BackupJobChange()
        for name in ["one", "two"] {
            change.name = name
            _ = try catalog.createJob(change, defaultRetentionDays: 9, at: start)
        }
        _ = try run(catalog, job: 1, .completed, from: 10, to: 20, size: 500)
        let newest = try run(catalog, job: 1, .completed, from: 110, to: 130, size: 700)
        _ = try run(catalog, job: 1, .failed, from: 200, to: 201)
        _ = try run(catalog, job: 2, .failed, from: 90, to: 150)
        var going = try run(catalog, job: 2, .running, from: 300, to: 0)
        query.stores = ["s3", "replica-1"]
        var copy = RemoteCopy(
            backupID: newest.id, store: "s3", state: .present, endpoint: "e", bucket: "b", key: "k", url: "u",
            at: after(140))
        try catalog.save(copy)
        copy.store = "replica-1"
        copy.state = .failed
        copy.attempts = 3
        try catalog.save(copy)

        let first = try catalog.figures(query)
        #expect(first.groups.map(\.count) == [2, 1, 1, 1] && first.groups.map(\.jobID) == [1, 1, 2, 2])
        #expect(first.groups.map(\.status) == [.completed, .failed, .failed, .running])
        #expect(first.groups.first?.size == 1_200)
        #expect(first.newestCompleted.map(\.size) == [700] && first.newestCompleted.first?.endedAt == after(130))
        #expect(first.newestCompleted.first?.seconds == 20 && first.newestCompleted.first?.rows == 70)
        #expect(first.newestEnded.map(\.startedAt) == [after(200), after(90)])
        #expect(first.newestEnded.map(\.isCompleted) == [false, false])
        #expect(first.ended.count == 3 && first.running == [going.id] && first.lastID == going.id)
        #expect(first.copies.map(\.count) == [1, 1] && first.missingCopies == ["s3": 1, "replica-1": 2])
        #expect(first.failedCopies == [.init(backupID: newest.id, store: "replica-1", attempts: 3)])

        query.lastID = first.lastID
        query.pending = first.running
        #expect(try catalog.figures(query).ended.isEmpty)
        going.status = .completed
        going.completedAt = after(400)
        try catalog.update(going)
        _ = try run(catalog, job: 1, .failed, from: 410, to: 420)
        #expect(try catalog.figures(query).ended.map(\.isCompleted).sorted { $0 && !$1 } == [true, false])
    }

    @Test(arguments: CatalogImplementation.allCases)
    func aJobsNewestRunsHoldWhatTheJobDoes(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        var change = BackupJobChange()
        for name in ["one", "two"] {
            change.name = name
            _ = try catalog.createJob(change, defaultRetentionDays: 9, at: start)
        }
        let own = BackupContent(identity: "a'\"{", scope: BackupContent.whole)
        let others = [
            BackupContent(identity: own.identity, scope: "some"), BackupContent(identity: "b", scope: own.scope),
        ]
        var query = FiguresQuery(since: start)
        query.ownContents = [1: own]
        _ = try run(catalog, job: 1, .completed, from: 10, to: 20, size: 100)
        _ = try run(catalog, job: 2, .completed, from: 10, to: 20, size: 200, holding: others.last)
        func newest() throws -> [Int64] { try catalog.figures(query).newestCompleted.map(\.size) }
        // What is not known may be the job's; a job of which nothing is known takes all.
        #expect(try newest() == [100, 200])
        _ = try run(catalog, job: 1, .completed, from: 30, to: 40, size: 300, holding: own)
        #expect(try newest() == [300, 200])
        _ = try run(catalog, job: 1, .failed, from: 50, to: 60, holding: own)
        for (place, other) in others.enumerated() {
            _ = try run(catalog, job: 1, .completed, from: 70 + Int64(place), to: 80, size: 400, holding: other)
        }
        #expect(try newest() == [300, 200])
        #expect(try catalog.figures(query).newestEnded.map(\.isCompleted) == [false, true])
        query.ownContents = [:]
        #expect(try newest() == [400, 200])
        // Changed since: until it has run, what it made before counts.
        query.ownContents = [1: BackupContent(identity: "c", scope: "new"), 2: own]
        #expect(try newest() == [100, 200])
        _ = try run(catalog, job: 2, .completed, from: 20, to: 80, size: 500, holding: others.first)
        #expect(try newest() == [100, 500])
    }
}
