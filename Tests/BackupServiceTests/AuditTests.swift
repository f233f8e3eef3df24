import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("The audit log")
struct AuditTests {
    private static let base = "/api/v1/backup"

    @Test(
        "Every change over the API has an entry before it begins and one when it has ended: who, what, on what, from where"
    )
    func changes() async throws {
        try await ServiceBench.with { bench in
            let base = AuditTests.base
            let token = try await bench.engine.createToken(name: "ops", role: .admin).text
            let made = try await bench.ask(.POST, base + "/jobs", token: token, body: #"{"name":"nightly"}"#)
            let id = try #require(made.json["id"] as? Int)
            _ = try await bench.ask(
                .PUT, base + "/jobs/\(id)", token: token, body: #"{"enabled":true,"description":"d"}"#)
            let run = try await bench.ask(.POST, base + "/jobs/\(id)/run", token: token)
            let backup = try #require(run.json["backup_id"] as? Int)
            _ = try await bench.ask(
                .POST, base + "/\(backup)/restore", token: token,
                body: #"{"dry_run":true,"restore_options":{"clear_existing":true}}"#)
            _ = try await bench.ask(.POST, base + "/\(backup)/restore", token: SignedToken().signed(), body: "{}")
            _ = try await bench.ask(.POST, base + "/\(backup)/upload", token: token)
            _ = try await bench.ask(.DELETE, base + "/\(backup)", token: token)
            _ = try await bench.ask(.DELETE, base + "/jobs/\(id)", token: token)
            let deleted = try await bench.ask(.DELETE, base + "/jobs/\(id)", token: token)

            let list = try await bench.ask(.GET, base + "/audit?limit=1000", token: token)
            let entries = try #require(list.json["entries"] as? [[String: Any]])
            #expect(list.status == 200 && list.json["count"] as? Int == entries.count)
            func found(_ action: String, _ subject: String, _ outcome: String) -> [[String: Any]] {
                entries.filter {
                    $0["action"] as? String == action && $0["subject"] as? String == subject
                        && $0["outcome"] as? String == outcome
                }
            }
            for (action, subject, outcome) in [
                ("token.create", "token ops", "done"), ("job.create", "job nightly", "done"),
                ("job.update", "job \(id)", "done"), ("job.run", "job \(id)", "done"),
                ("restore", "backup \(backup)", "done"), ("restore", "backup \(backup)", "failed"),
                ("backup.upload", "backup \(backup)", "failed"), ("backup.delete", "backup \(backup)", "done"),
                ("job.delete", "job \(id)", "done"), ("job.delete", "job \(id)", "failed"),
            ] {
                #expect(found(action, subject, outcome).count == 1, "\(action) \(subject) \(outcome)")
                #expect(!found(action, subject, "begun").isEmpty, "\(action) \(subject)")
            }
            let last = try #require(found("job.delete", "job \(id)", "failed").first)
            #expect(last["actor"] as? String == "token:ops" && last["role"] as? String == "admin")
            #expect(last["address"] as? String == "127.0.0.1")
            #expect(last["request_id"] as? String == deleted.headers.first(name: "X-Request-ID"))
            let elder = try #require(found("restore", "backup \(backup)", "failed").first)
            #expect(elder["actor"] as? String == "elder:7")
            #expect((found("job.update", "job \(id)", "begun").first?["detail"] as? String) == "description, enabled")
            let text = String(decoding: list.body, as: UTF8.self)
            #expect(!text.contains(token.dropFirst(4)))

            let newest = try #require(entries.first?["id"] as? Int)
            let page = try await bench.ask(.GET, base + "/audit?limit=2&before=\(newest)", token: token)
            let ids = (page.json["entries"] as? [[String: Any]])?.compactMap { $0["id"] as? Int }
            #expect(ids == [newest - 1, newest - 2])
        }
    }

    @Test("What cannot be written down is not done")
    func unwritable() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let backup = try await bench.engine.backup(BackupRequest())
            try ServiceBench.query(
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END",
                on: bench.directory + "/backups/catalog.sqlite")
            let base = AuditTests.base
            for (method, path, body) in [
                (.POST, "/jobs", #"{"name":"a"}"#), (.POST, "/jobs/1/run", nil), (.DELETE, "/\(backup.backupID)", nil),
                (.DELETE, "/jobs/1", nil), (.POST, "/\(backup.backupID)/restore", "{}"),
            ] as [(HTTPMethod, String, String?)] {
                let reply = try await bench.ask(method, base + path, token: token, body: body)
                #expect(reply.status == 500 && reply.error.contains("nothing was done"), "\(path) \(reply.error)")
            }
            #expect(try await bench.engine.jobs().count == 1)
            #expect(try await bench.engine.list().count == 1)
            #expect(FileManager.default.fileExists(atPath: backup.filePath))
            #expect(try await bench.ask(.GET, base, token: token).status == 200)
        }
    }

    @Test("What retention deletes, and what the scheduler runs, has entries too")
    func retention() async throws {
        try await ServiceBench.with { bench in
            var change = BackupJobChange()
            change.name = "short"
            change.retention.days = 0
            change.retention.last = 1
            _ = try await bench.engine.createJob(change)
            var request = BackupRequest()
            request.job = JobReference("short")
            for _ in 0..<2 {
                let wish = request
                _ = try await AuditActor.$current.withValue(AuditActor(name: "scheduler")) {
                    try await bench.engine.backup(wish)
                }
            }
            let expired = try await bench.engine.auditEntries(limit: 100).filter { $0.action == "backup.expire" }
            #expect(expired.map(\.outcome) == ["done", "begun"] && expired.allSatisfy { $0.actor == "scheduler" })
            #expect(expired.last?.detail?.isEmpty == false)
        }
    }

    @Test("Refused sign-ins become one line, however many there are")
    func refused() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.refusalInterval = .milliseconds(300) }) {
            bench in
            for number in 0..<15 {
                _ = try await bench.ask(.GET, AuditTests.base, token: "wrong\(number)")
            }
            let end = ContinuousClock.now + .seconds(20)
            var entries: [AuditEntry] = []
            while ContinuousClock.now < end {
                entries = try await bench.engine.auditEntries(limit: 100).filter { $0.action == "sign-in" }
                let counts = entries.compactMap { $0.detail?.split(separator: " ").first.flatMap { Int($0) } }
                if counts.reduce(0, +) == 15 { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(!entries.isEmpty && entries.count < 15)
            #expect(entries.allSatisfy { $0.outcome == "refused" && $0.detail?.contains("127.0.0.1 (") == true })
        }
    }
}
