import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("What is sent, and how it is read")
struct RequestTests {
    private static let base = "/api/v1/backup"

    @Test("A body costs what its length costs, however deep it goes, and a field stands in it once")
    func bodies() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let depth = 250_000
            let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let wide = "[" + Array(repeating: "[]", count: 300_000).joined(separator: ",") + "]"
            for value in [deep, wide] {
                for body in ["{\"format\":\"json\",\"filters\":\(value)}", "{\"format\":\(value)}", value] {
                    let reply = try await bench.ask(.POST, Self.base + "/export", token: token, body: body)
                    #expect(reply.status == 400 && !reply.error.isEmpty)
                }
            }
            for body in [
                #"{"name":"a","name":"b"}"#, #"{"name":"a","retention":{"daily":1,"daily":2}}"#, "{} {}", "[]", "", "{",
                #"{"name":"a","retention":[]}"#, #"{"name":"a","include_tables":["a",1]}"#,
                #"{"name":"a","retention_days":"7"}"#, #"{"name":"a","retention_days":1.5}"#,
                #"{"name":"a","enabled":"true"}"#, #"{"name":{}}"#,
            ] {
                #expect(
                    try await bench.ask(.POST, Self.base + "/jobs", token: token, body: body).status == 400, "\(body)")
            }
            let many = "{" + (0..<50_000).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
            let reply = try await bench.ask(.POST, Self.base + "/jobs", token: token, body: many)
            #expect(reply.status == 400 && (reply.json["fields"] as? [String: String])?.count == 21)
            #expect(try await bench.ask(.GET, Self.base + "/jobs", token: token).json["count"] as? Int == 0)
        }
    }

    @Test("A job that was shown may be sent back as it is; what cannot be changed is refused by name")
    func sentBack() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            var change = BackupJobChange()
            change.name = "nightly"
            change.schedule = "30 2 * * *"
            change.timeZone = "Europe/Berlin"
            change.retention.daily = 7
            change.options.preCommand = .set("true")
            change.includeTables = ["users"]
            let path = Self.base + "/jobs/\(try await bench.engine.createJob(change).id)"
            let shown = try await bench.ask(.GET, path, token: token)
            let same = try await bench.ask(
                .PUT, path, token: token, body: String(decoding: shown.body, as: UTF8.self))
            #expect(same.status == 200, "\(same.error)")
            func withoutTime(_ reply: ServiceBench.Reply) -> NSDictionary {
                var json = reply.json
                json["updated_at"] = nil
                return json as NSDictionary
            }
            #expect(withoutTime(same) == withoutTime(shown))
            for (field, value) in [
                ("id", "99"), ("created_at", "\"2020-01-01T00:00:00Z\""), ("uuid", "null"), ("hooks", "{}"),
                ("hooks", #"{"pre":"reboot"}"#), ("ping", "true"), ("last_run_at", "\"2020-01-01T00:00:00Z\""),
            ] {
                let reply = try await bench.ask(.PUT, path, token: token, body: "{\"\(field)\":\(value)}")
                #expect(reply.status == 400 && (reply.json["fields"] as? [String: String])?[field] != nil, "\(field)")
            }
            #expect(try await bench.engine.job(JobReference("nightly")).options.preCommand == "true")
            let made = try await bench.ask(
                .POST, Self.base + "/jobs", token: token, body: #"{"name":"x","created_at":"2020-01-01T00:00:00Z"}"#)
            #expect(made.status == 400)
        }
    }

    @Test("Null takes back what was set; what must be there cannot be taken back")
    func nulls() async throws {
        try await ServiceBench.with(configure: { $0.retentionDays = 17 }) { bench in
            let token = try await bench.token(.admin)
            let made = try await bench.ask(
                .POST, Self.base + "/jobs", token: token,
                body: #"{"name":"a","retention":{"days":3,"keep_last":4,"minimum":2,"max_bytes":9},"retries":2}"#)
            let path = Self.base + "/jobs/\(try #require(made.json["id"] as? Int))"
            func put(_ body: String) async throws -> ServiceBench.Reply {
                try await bench.ask(.PUT, path, token: token, body: body)
            }
            var reply = try await put(#"{"retention":{"keep_last":null,"minimum":null}}"#)
            var retention = try #require(reply.json["retention"] as? [String: Int])
            #expect(retention["keep_last"] == 0 && retention["minimum"] == 1 && retention["days"] == 3)
            #expect(retention["max_bytes"] == 9)
            reply = try await put(#"{"retention_days":null}"#)
            #expect(reply.json["retention_days"] as? Int == 17)
            reply = try await put(#"{"retention":{"daily":5,"days":2}}"#)
            #expect(reply.status == 200)
            reply = try await put(#"{"retention":null,"retries":null}"#)
            retention = try #require(reply.json["retention"] as? [String: Int])
            #expect(retention["daily"] == 0 && retention["max_bytes"] == 0 && retention["days"] == 17)
            #expect(reply.json["retries"] as? Int != 2)
            for body in [#"{"name":null}"#, #"{"enabled":null}"#] { #expect(try await put(body).status == 400) }
            let job = try await bench.ask(.GET, path, token: token)
            #expect(job.json["name"] as? String == "a" && job.json["enabled"] as? Bool == true)
        }
    }

    @Test("A parameter that is empty is not there, and a page has no more than a page can have")
    func parameters() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            for query in [
                "?job_id=&status=&since=&until=&cursor=&limit=", "?limit=1001", "?limit=99999999999999999999",
                "?limit=1",
            ] {
                #expect(try await bench.ask(.GET, Self.base + query, token: token).status == 200, "\(query)")
            }
            #expect(try await bench.ask(.GET, Self.base + "/jobs?enabled=&limit=5000", token: token).status == 200)
            #expect(try await bench.ask(.GET, Self.base + "/audit?limit=5000", token: token).status == 200)
            for query in ["?limit=0", "?limit=00", "?limit=-1", "?limit=1.5", "?limit=x", "?limit=+1", "?job_id=x"] {
                #expect(try await bench.ask(.GET, Self.base + query, token: token).status == 400, "\(query)")
            }
        }
    }

    @Test("A restore of no tables is refused, not done")
    func noTables() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let backup = try await bench.engine.backup(BackupRequest())
            let reply = try await bench.ask(
                .POST, Self.base + "/\(backup.backupID)/restore", token: token,
                body: #"{"restore_options":{"tables":[],"clear_existing":true}}"#)
            #expect(reply.status == 400 && (reply.json["fields"] as? [String: String])?["tables"] != nil)
            var request = RestoreRequest(
                backup: BackupReference("1"), target: .sqlite(path: bench.directory + "/new.sqlite"))
            request.tables = []
            let wish = request
            await #expect(throws: BackupError.self) { _ = try await bench.engine.restore(wish) }
            #expect(!FileManager.default.fileExists(atPath: bench.directory + "/new.sqlite"))
        }
    }

    @Test("A path is matched segment by segment, a name before what varies")
    func paths() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let reply = try await bench.ask(.POST, Self.base + "/jobs/verify", token: token)
            let allowed = reply.headers.first(name: "Allow")?.split(separator: ", ").map(String.init) ?? []
            #expect(reply.status == 405 && Set(allowed).isSuperset(of: ["GET", "PUT", "DELETE"]))
            #expect(!allowed.contains("POST"))
        }
    }

    @Test("A line of the log for each request says who asked, from where, and by which number")
    func accessLog() async throws {
        let log = LogCollector()
        try await ServiceBench.with(logger: log.logger) { bench in
            let token = try await bench.engine.createToken(name: "ops", role: .viewer).text
            let reply = try await bench.ask(.GET, Self.base + "/stats", token: token)
            let id = try #require(reply.headers.first(name: "X-Request-ID"))
            let line = try #require(log.lines.first { $0.hasPrefix("request ") && $0.contains(id) })
            #expect(line.contains("token:ops") && line.contains("127.0.0.1") && !line.contains("hb."))
            let refused = try await bench.ask(.GET, Self.base + "/stats?secret=1", token: "ebt_x")
            let other = try #require(refused.headers.first(name: "X-Request-ID"))
            let second = try #require(log.lines.first { $0.hasPrefix("request ") && $0.contains(other) })
            #expect(second.contains("nobody") && second.contains("127.0.0.1") && !second.contains("secret"))
        }
    }
}
