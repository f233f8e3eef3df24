import BackupCore
import BackupEngine
import Foundation
import NIOHTTP1
import Testing

@Suite("Lists in pages, and what a job may be told by the API")
struct ListRouteTests {
    private static let base = "/api/v1/backup"

    @Test("Backups by status and time, page by page, each once")
    func pages() async throws {
        try await ServiceBench.with(prepare: { engine, catalog in
            var change = BackupJobChange()
            change.name = "many"
            _ = try await engine.createJob(change)
            try ServiceBench.query(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 25)
                INSERT INTO backups(job_id, filename, file_path, status, started_at)
                SELECT 1 + i % 2, 'f', '/f', CASE WHEN i % 5 = 0 THEN 'failed' ELSE 'completed' END,
                    printf('2026-01-%02d %s', i / 2 + 1, '00:00:00.000000') FROM n
                """, on: catalog)
        }) { bench in
            let token = try await bench.token(.viewer)
            var next: String? = Self.base + "?limit=4&status=completed"
            var seen: [Int] = []
            var times: [String] = []
            var pages = 0
            while let path = next {
                let answer = try await bench.ask(.GET, path, token: token)
                #expect(answer.status == 200)
                let backups = answer.json["backups"] as? [[String: Any]] ?? []
                seen += backups.compactMap { $0["id"] as? Int }
                times += backups.compactMap { $0["started_at"] as? String }
                pages += 1
                let link = answer.headers.first(name: "Link")
                #expect((link == nil) == (answer.json["next_cursor"] == nil))
                next = link.map { String($0.dropFirst().prefix { $0 != ">" }) }
                if let link { #expect(link.hasSuffix("; rel=\"next\"") && link.contains("status=completed")) }
                try #require(pages < 10)
            }
            #expect(pages == 5 && seen.count == 20 && Set(seen).count == 20)
            #expect(times == times.sorted(by: >))
            let some = try await bench.ask(
                .GET, Self.base + "?since=2026-01-03T00:00:00Z&until=2026-01-05T01:00:00%2B01:00", token: token)
            let found = (some.json["backups"] as? [[String: Any]] ?? []).compactMap { $0["started_at"] as? String }
            #expect(Set(found.map { $0.prefix(10) }) == ["2026-01-03", "2026-01-04"])
            #expect(found.count == 4)
            let job = try await bench.ask(.GET, Self.base + "?job_id=1&status=failed", token: token)
            #expect(job.json["count"] as? Int == 2)
            for (query, field) in [
                ("status=good", "status"), ("since=yesterday", "since"), ("until=2026-01-01", "until"),
                ("since=2026-01-01T00:00:00", "since"), ("cursor=zzz", "cursor"), ("limit=0", "limit"),
            ] {
                let bad = try await bench.ask(.GET, Self.base + "?" + query, token: token)
                #expect(bad.status == 400 && (bad.json["fields"] as? [String: Any])?[field] != nil, "\(query)")
            }
        }
    }

    @Test("Jobs page by page")
    func jobs() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.viewer)
            for number in 1...5 {
                var change = BackupJobChange()
                change.name = "job \(number)"
                _ = try await bench.engine.createJob(change)
            }
            let whole = try await bench.ask(.GET, Self.base + "/jobs", token: token)
            #expect(whole.json["count"] as? Int == 5 && whole.json["next_cursor"] == nil)
            let first = try await bench.ask(.GET, Self.base + "/jobs?limit=3", token: token)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let rest = try await bench.ask(.GET, Self.base + "/jobs?limit=3&cursor=\(cursor)", token: token)
            #expect((rest.json["jobs"] as? [[String: Any]])?.compactMap { $0["id"] as? Int } == [4, 5])
            #expect(rest.json["next_cursor"] == nil)
            let other = BackupCursor(key: "2026", id: 1).text
            #expect(try await bench.ask(.GET, Self.base + "/jobs?cursor=\(other)", token: token).status == 400)
        }
    }

    @Test("Limits can be set and cleared; commands and pings are not the API's to set, nor to see")
    func options() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let made = try await bench.ask(
                .POST, Self.base + "/jobs", token: token,
                body: #"{"name":"a","timeout_seconds":60,"stall_seconds":30,"retries":3}"#)
            #expect(made.status == 201 && made.json["timeout_seconds"] as? Int == 60)
            #expect(made.json["retries"] as? Int == 3)
            let changed = try await bench.ask(
                .PUT, Self.base + "/jobs/1", token: token, body: #"{"timeout_seconds":null,"stall_seconds":40}"#)
            #expect(changed.status == 200 && changed.json["timeout_seconds"] is NSNull)
            #expect(changed.json["stall_seconds"] as? Int == 40 && changed.json["retries"] as? Int == 3)
            for body in [
                #"{"retries":11}"#, #"{"retries":-1}"#, #"{"retries":"3"}"#, #"{"timeout_seconds":0}"#,
                #"{"stall_seconds":86401}"#, #"{"pre_command":"id"}"#, #"{"post_command":null}"#,
                #"{"hook_timeout_seconds":5}"#, #"{"ping_url":"http://x"}"#, #"{"hooks":{"pre":"id"}}"#,
            ] {
                let bad = try await bench.ask(.PUT, Self.base + "/jobs/1", token: token, body: body)
                #expect(bad.status == 400 && (bad.json["fields"] as? [String: Any])?.isEmpty == false, "\(body)")
            }
            var change = BackupJobChange()
            change.options.preCommand = .set("echo hush")
            change.options.pingURL = .set(Secret("https://hc.example/hush"))
            _ = try await bench.engine.updateJob(JobReference("1"), change)
            let shown = try await bench.ask(.GET, Self.base + "/jobs/1", token: token)
            #expect((shown.json["hooks"] as? [String: Any])?["pre"] as? Bool == true)
            #expect(shown.json["ping"] as? Bool == true && shown.json["stall_seconds"] as? Int == 40)
            #expect(!String(decoding: shown.body, as: UTF8.self).contains("hush"))
        }
    }

    @Test("A job is deleted with its backups, or without, and not while it runs")
    func deletion() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            var request = BackupRequest()
            for name in ["a", "b"] {
                var change = BackupJobChange()
                change.name = name
                _ = try await bench.engine.createJob(change)
                request.job = JobReference(name)
                _ = try await bench.engine.backup(request)
            }
            #expect(try await bench.ask(.DELETE, Self.base + "/jobs/1?backups=burn", token: token).status == 400)
            let gone = try await bench.ask(.DELETE, Self.base + "/jobs/1?backups=delete", token: token)
            #expect(gone.status == 200 && gone.json["deleted_backups"] as? Int == 1)
            #expect(try await bench.ask(.DELETE, Self.base + "/jobs/2", token: token).status == 200)
            #expect(try await bench.engine.list().map(\.jobID) == [2])
            var change = BackupJobChange()
            change.name = "held"
            change.options.preCommand = .set("sleep 600")
            let held = try await bench.engine.createJob(change).id
            let run = try await bench.ask(
                .POST, Self.base + "/jobs/\(held)/run", token: token, headers: [("Prefer", "respond-async")])
            let place = try #require(run.headers.first(name: "Location"))
            let refused = try await bench.ask(.DELETE, Self.base + "/jobs/\(held)?backups=delete", token: token)
            #expect(refused.status == 409)
            #expect(try await bench.ask(.POST, place + "/cancel", token: token).status == 202)
        }
    }
}
