import BackupCore
import BackupEngine
import BackupService
import Foundation
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

    @Test("A job that cannot be read fails when it is due, and the others run")
    func unreadable() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            var change = BackupJobChange()
            change.schedule = "\((Timestamp.now().civil.minute + 30) % 60) * * * *"
            for name in ["good", "broken"] {
                change.name = name
                _ = try await engine.createJob(change)
            }
            try ServiceBench.query(
                """
                UPDATE backup_jobs SET updated_at = datetime('now', '-2 days');
                UPDATE backup_jobs SET config_json = '{"include_tables":"users"}' WHERE id = 2
                """, on: catalog)
        }) { bench in
            try await bench.until {
                let records = try await bench.engine.list()
                return records.contains { $0.jobID == 1 && $0.status == .completed }
                    && records.contains { $0.errorMessage?.contains("include_tables is not a list") == true }
            }
            let token = try await bench.token(.admin)
            let list = try await bench.ask(.GET, "/api/v1/backup/jobs", token: token)
            let faults = (list.json["jobs"] as? [[String: Any]])?.map { $0["fault"] as? String }
            #expect(list.status == 200 && faults?.count == 2 && faults?.first == .some(nil))
            #expect(faults?.last??.hasPrefix("job 2: config_json cannot be read") == true)
            let plan = try await bench.ask(.GET, "/api/v1/backup/jobs/2/retention", token: token)
            #expect(plan.status == 200 && plan.json["deleted"] as? Int == 0)
            let repair = try await bench.ask(
                .PUT, "/api/v1/backup/jobs/2", token: token, body: #"{"include_tables":["users"],"exclude_tables":[]}"#,
                headers: [("Content-Type", "application/json")])
            #expect(repair.status == 200 && repair.json["fault"] is NSNull)
        }
    }
}
