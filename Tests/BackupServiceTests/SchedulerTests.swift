import BackupCore
import BackupEngine
import BackupService
import Testing

@Suite("The scheduler")
struct SchedulerTests {
    @Test("A run that was missed is written down as failed, and made up for once")
    func missed() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            var change = BackupJobChange()
            change.name = "hourly"
            // Half an hour ago: what is due for a few minutes is late, not missed.
            change.schedule = "\((Timestamp.now().civil.minute + 30) % 60) * * * *"
            _ = try await engine.createJob(change)
            change.name = "elsewhere"
            _ = try await engine.createJob(change)
            // What cannot be scheduled must not keep the others from running.
            try ServiceBench.query("UPDATE backup_jobs SET time_zone = 'Mars/Olympus' WHERE id = 2", on: catalog)
            // As if it had been made two days ago, and the service not been there since.
            try ServiceBench.query("UPDATE backup_jobs SET updated_at = datetime('now', '-2 days')", on: catalog)
        }) { bench in
            let end = ContinuousClock.now + .seconds(40)
            var records: [BackupRecord] = []
            while ContinuousClock.now < end {
                records = try await bench.engine.list()
                if records.contains(where: { $0.status == .completed }) { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(records.filter { $0.status == .completed && $0.jobID == 1 }.count == 1)
            let missed = records.filter { $0.status == .failed }
            #expect(missed.count == 1 && missed.first?.errorMessage?.hasPrefix("missed: it was due at") == true)
        }
    }
}
