import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("The HTTP API, as Elder's clients use it")
struct RouteTests {
    private static let base = "/api/v1/backup"

    @Test("A job's life: made, listed, changed, run, its backup listed, downloaded, restored and deleted")
    func life() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let base = RouteTests.base
            let made = try await bench.ask(
                .POST, base + "/jobs", token: token,
                body: #"{"name":"nightly","schedule":"30 2 * * *","retention_days":7,"s3_enabled":false}"#)
            #expect(made.status == 201 && made.json["name"] as? String == "nightly")
            #expect(made.json["retention_days"] as? Int == 7 && made.json["enabled"] as? Bool == true)
            let id = try #require(made.json["id"] as? Int)
            let changed = try await bench.ask(
                .PUT, base + "/jobs/\(id)", token: token, body: #"{"retention":{"daily":7},"description":"d"}"#)
            #expect(changed.status == 200 && changed.json["description"] as? String == "d")
            #expect((changed.json["retention"] as? [String: Any])?["daily"] as? Int == 7)
            let jobs = try await bench.ask(.GET, base + "/jobs?enabled=true", token: token)
            #expect(jobs.json["count"] as? Int == 1)
            #expect(try await bench.ask(.GET, base + "/jobs?enabled=false", token: token).json["count"] as? Int == 0)

            let run = try await bench.ask(.POST, base + "/jobs/\(id)/run", token: token)
            #expect(run.status == 202 && run.json["success"] as? Bool == true)
            #expect(run.json["record_count"] as? Int == 2 && run.json["s3_uploaded"] as? Bool == false)
            let backup = try #require(run.json["backup_id"] as? Int)
            let list = try await bench.ask(.GET, base + "?job_id=\(id)&limit=5", token: token)
            #expect(list.json["count"] as? Int == 1)
            #expect(try await bench.ask(.GET, base + "/?job_id=99", token: token).json["count"] as? Int == 0)
            let one = try await bench.ask(.GET, base + "/\(backup)", token: token)
            #expect(one.json["status"] as? String == "completed")
            #expect(try await bench.ask(.GET, base + "/stats", token: token).json["completed_backups"] as? Int == 1)
            let verified = try await bench.ask(.POST, base + "/\(backup)/verify", token: token)
            #expect(verified.status == 202 && verified.json["ok"] as? Bool == true)

            try ServiceBench.query("DELETE FROM users WHERE id = 2", on: bench.directory + "/app.sqlite")
            let refused = try await bench.ask(.POST, base + "/\(backup)/restore", token: token, body: "{}")
            #expect(refused.status == 409 && refused.json["code"] as? String == "target")
            let restored = try await bench.ask(
                .POST, base + "/\(backup)/restore", token: token,
                body: #"{"dry_run":false,"restore_options":{"clear_existing":true}}"#)
            #expect(restored.status == 202 && restored.json["total_records"] as? Int == 2)
            #expect((restored.json["restored_counts"] as? [String: Int]) == ["users": 2])
            #expect((restored.json["errors"] as? [String: String])?.isEmpty == true)

            #expect(try await bench.ask(.DELETE, base + "/\(backup)", token: token).json["message"] != nil)
            #expect(try await bench.ask(.GET, base + "/\(backup)", token: token).status == 404)
            #expect(try await bench.ask(.DELETE, base + "/jobs/\(id)", token: token).status == 200)
            #expect(try await bench.ask(.GET, base + "/jobs/\(id)", token: token).status == 404)
        }
    }

    @Test("A download is the file, whole, in stretches, and not at all where the client has it")
    func download() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.operator)
            let backup = try await bench.engine.backup(BackupRequest())
            let file = Array(try Data(contentsOf: URL(filePath: backup.filePath)))
            let path = RouteTests.base + "/\(backup.backupID)/download"
            let whole = try await bench.ask(.GET, path, token: token)
            #expect(whole.status == 200 && whole.body == file)
            #expect(whole.headers.first(name: "Content-Type") == "application/gzip")
            #expect(whole.headers.first(name: "Content-Encoding") == nil)
            #expect(whole.headers.first(name: "Content-Disposition") == "attachment; filename=\"\(backup.filename)\"")
            let tag = try #require(whole.headers.first(name: "ETag"))
            #expect(tag == "\"\(backup.sha256)\"")
            func part(_ range: String, _ more: [(String, String)] = []) async throws -> ServiceBench.Reply {
                try await bench.ask(.GET, path, token: token, headers: [("Range", range)] + more)
            }
            let middle = try await part("bytes=10-19")
            #expect(middle.status == 206 && middle.body == Array(file[10..<20]))
            #expect(middle.headers.first(name: "Content-Range") == "bytes 10-19/\(file.count)")
            #expect(try await part("bytes=-5").body == Array(file.suffix(5)))
            let beyond = try await part("bytes=\(file.count)-")
            #expect(beyond.status == 416 && beyond.headers.first(name: "Content-Range") == "bytes */\(file.count)")
            #expect(try await part("bytes=10-19", [("If-Range", tag)]).status == 206)
            #expect(try await part("bytes=10-19", [("If-Range", "\"other\"")]).body == file)
            let known = try await bench.ask(.GET, path, token: token, headers: [("If-None-Match", tag)])
            #expect(known.status == 304 && known.body.isEmpty)
            let head = try await bench.ask(.HEAD, path, token: token)
            #expect(head.status == 200 && head.headers.first(name: "Content-Length") == "\(file.count)")
        }
    }

    struct Bad: Sendable {
        var method: HTTPMethod
        var path: String
        var body: String?
        var status: Int
        var field: String?
    }

    static let bad: [Bad] = [
        Bad(method: .POST, path: "/jobs", body: "{}", status: 400, field: "name"),
        Bad(method: .POST, path: "/jobs", body: #"{"name":5}"#, status: 400, field: "name"),
        Bad(method: .POST, path: "/jobs", body: #"{"name":"a","enabled":"yes"}"#, status: 400, field: "enabled"),
        Bad(
            method: .POST, path: "/jobs", body: #"{"name":"a","retention_days":1.5}"#, status: 400,
            field: "retention_days"),
        Bad(
            method: .POST, path: "/jobs", body: #"{"name":"a","retention_days":true}"#, status: 400,
            field: "retention_days"),
        Bad(method: .POST, path: "/jobs", body: #"{"name":"a","retention_days":0}"#, status: 400),
        Bad(method: .POST, path: "/jobs", body: #"{"name":"a","schedule":"often"}"#, status: 400),
        Bad(method: .POST, path: "/jobs", body: #"{"name":"a","pre":"rm -rf /"}"#, status: 400, field: "pre"),
        Bad(
            method: .POST, path: "/jobs", body: #"{"name":"a","source":"sqlite:/etc/x"}"#, status: 403, field: "source"),
        Bad(
            method: .POST, path: "/jobs", body: #"{"name":"a","s3_endpoint":"http://169.254.169.254"}"#, status: 403,
            field: "s3_endpoint"),
        Bad(method: .POST, path: "/jobs", body: "[]", status: 400),
        Bad(method: .POST, path: "/jobs", body: "{", status: 400),
        Bad(method: .POST, path: "/jobs", body: nil, status: 400),
        Bad(method: .PUT, path: "/jobs/99", body: "{}", status: 404), Bad(method: .GET, path: "/jobs/x", status: 404),
        Bad(method: .GET, path: "/jobs/-1", status: 404), Bad(method: .GET, path: "/99999999999999999999", status: 404),
        Bad(method: .GET, path: "/..%2F..%2Fetc%2Fpasswd/download", status: 404),
        Bad(method: .GET, path: "?limit=0", status: 400, field: "limit"),
        Bad(method: .GET, path: "?limit=ten", status: 400, field: "limit"),
        Bad(method: .GET, path: "?colour=red", status: 400, field: "colour"),
        Bad(method: .GET, path: "?limit=1&limit=2", status: 400, field: "limit"),
        Bad(
            method: .POST, path: "/1/restore", body: #"{"restore_options":{"tables":"users"}}"#, status: 400,
            field: "tables"),
        Bad(method: .POST, path: "/1/restore", body: #"{"into":"sqlite:/etc/x"}"#, status: 400, field: "into"),
        Bad(method: .POST, path: "/99/restore", body: "{}", status: 404), Bad(method: .POST, path: "", status: 405),
        Bad(method: .DELETE, path: "/stats/x", status: 404), Bad(method: .PATCH, path: "/jobs/1", status: 405),
    ]

    @Test("What makes no sense is refused, by its field, and changes nothing")
    func refusals() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            for bad in RouteTests.bad {
                let reply = try await bench.ask(bad.method, RouteTests.base + bad.path, token: token, body: bad.body)
                #expect(reply.status == bad.status, "\(bad): \(reply.error)")
                #expect(!reply.error.isEmpty && reply.json["code"] != nil, "\(bad)")
                if let field = bad.field {
                    #expect((reply.json["fields"] as? [String: String])?[field] != nil, "\(bad): \(reply.error)")
                }
                if bad.status == 405 { #expect(reply.headers.first(name: "Allow") != nil) }
            }
            #expect(try await bench.engine.jobs().isEmpty)
            let large = "{\"name\":\"" + String(repeating: "a", count: 2 << 20) + "\"}"
            let reply = try? await bench.ask(.POST, RouteTests.base + "/jobs", token: token, body: large)
            #expect(reply?.status == nil || reply?.status == 413)
        }
    }

    @Test("Each answer has an id of its own")
    func requestID() async throws {
        try await ServiceBench.with { bench in
            let ids = try await [bench.ask(.GET, "/health"), bench.ask(.GET, "/health"), bench.ask(.GET, "/none")]
                .compactMap { $0.headers.first(name: "X-Request-ID") }
            #expect(Set(ids).count == 3)
        }
    }
}
