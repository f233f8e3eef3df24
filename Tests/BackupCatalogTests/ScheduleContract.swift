import BackupCatalog
import BackupCore
import Testing

private let noon = Timestamp(microseconds: 1_761_739_200_123_456)

/// What every ``CatalogStore`` must keep for the schedule.
@Suite struct ScheduleContract {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func change(_ edit: (inout BackupJobChange) -> Void) -> BackupJobChange {
        var change = BackupJobChange()
        edit(&change)
        return change
    }

    @Test(
        "A schedule holds from its last change on, and what else is changed does not matter",
        arguments: CatalogImplementation.allCases)
    func changes(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(
            change {
                $0.name = "job"
                $0.schedule = "@daily"
            }, defaultRetentionDays: 9, at: noon)
        #expect(job.scheduleChangedAt == noon)
        func changed(after days: Int, _ edit: (inout BackupJobChange) -> Void) throws -> Timestamp? {
            let job = try catalog.updateJob(id: job.id, change(edit), at: noon.adding(days: days))
            #expect(try catalog.job(id: job.id) == job && job.updatedAt == noon.adding(days: days))
            return job.scheduleChangedAt
        }
        let same = try changed(after: 1) {
            $0.name = "renamed"
            $0.schedule = " @daily "
            $0.timeZone = ""
            $0.enabled = true
            $0.description = "d"
            $0.options.retries = .set(3)
        }
        #expect(same == noon)
        #expect(try changed(after: 2) { $0.schedule = "@hourly" } == noon.adding(days: 2))
        #expect(try changed(after: 3) { $0.timeZone = "Europe/Berlin" } == noon.adding(days: 3))
        #expect(try changed(after: 4) { $0.enabled = false } == noon.adding(days: 4))
        #expect(try changed(after: 5) { $0.enabled = false } == noon.adding(days: 4))
        #expect(try changed(after: 6) { $0.enabled = true } == noon.adding(days: 6))
        #expect(try changed(after: 7) { $0.schedule = "" } == noon.adding(days: 7))
    }

    @Test(
        "A missed run is written down once, and the job has not run for that", arguments: CatalogImplementation.allCases
    )
    func missed(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try catalog.createJob(change { $0.name = "job" }, defaultRetentionDays: 9, at: noon)
        func miss(job id: Int64, at due: Timestamp) -> BackupRecord {
            BackupRecord(
                id: 0, jobID: id, filename: "f", filePath: "/b/f", status: .failed, errorMessage: "missed",
                startedAt: due, completedAt: due, durationSeconds: 0, createdAt: due, updatedAt: due, localState: .none)
        }
        let first = try #require(try catalog.recordMissedRun(miss(job: job.id, at: noon)))
        #expect(try catalog.record(id: first.id) == first && first.status == .failed && first.id > 0)
        #expect(try catalog.recordMissedRun(miss(job: job.id, at: noon)) == nil)
        let second = try catalog.recordMissedRun(miss(job: job.id, at: noon.adding(days: 1)))
        #expect(second != nil)
        #expect(try catalog.records(jobID: job.id, status: .failed, limit: nil).count == 2)
        #expect(try catalog.job(id: job.id)?.lastRunAt == nil)
        let error = #expect(throws: BackupError.self) { try catalog.recordMissedRun(miss(job: 999, at: noon)) }
        #expect(error?.code == .notFound)
    }
}
