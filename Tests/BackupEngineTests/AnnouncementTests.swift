import BackupCore
import BackupEngine
import Crypto
import Foundation
import Logging
import NetworkTestSupport
import Synchronization
import Testing

@Suite("What is told of runs")
struct AnnouncementTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    private func query(_ sql: String) throws {
        let output = try Comparison.tool([bench.file("app.sqlite"), sql])
        try #require(output.status == 0)
    }

    private func fill(_ rows: Int) throws {
        try query(
            """
            CREATE TABLE IF NOT EXISTS users(id INTEGER PRIMARY KEY, name TEXT); DELETE FROM users;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < \(rows))
            INSERT INTO users SELECT i, hex(randomblob(20)) FROM n;
            """)
    }

    private func engine(_ change: (inout AnnouncementSettings) -> Void) async throws -> BackupEngine {
        try await bench.engine {
            $0.source = .sqlite(path: bench.file("app.sqlite"))
            $0.announcements.callPause = .milliseconds(10)
            change(&$0.announcements)
        }
    }

    private func events(_ server: LoopbackServer) -> [String] {
        server.requests.map { ($0["X-Elder-Backup-Event"] ?? "") }
    }

    @Test("A failure, the recovery from it and a backup that lost most of its rows are told, signed")
    func webhook() async throws {
        try await LoopbackServer.serve({ _ in .init(204) }) { server in
            let engine = try await engine {
                $0.webhook = Secret(server.origin + "/hook?key=hush")
                $0.webhookSecret = Secret("a secret of the webhook")
            }
            _ = await failure { _ = try await engine.backup(BackupRequest()) }
            #expect(events(server) == ["failure"])
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/hook?key=hush")
            let code = HMAC<SHA256>.authenticationCode(
                for: request.body, using: SymmetricKey(data: Array("a secret of the webhook".utf8)))
            let digits = code.map { String(format: "%02x", $0) }.joined()
            #expect(request["X-Hub-Signature-256"] == "sha256=" + digits)
            let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
            #expect(body["event"] as? String == "failure")
            #expect((body["job"] as? [String: Any])?["name"] as? String == "default")
            let backup = try #require(body["backup"] as? [String: Any])
            #expect(backup["status"] as? String == "failed" && backup["id"] as? Int == 1)
            #expect((backup["error"] as? String)?.isEmpty == false)
            #expect(!request.text.contains("hush"))

            try fill(1000)
            _ = try await engine.backup(BackupRequest())
            _ = try await engine.backup(BackupRequest())
            #expect(events(server) == ["failure", "recovery"])
            try fill(3)
            let small = try await engine.backup(BackupRequest())
            #expect(small.warnings.contains { $0.contains("3 rows, 100 % less than the mean of the last 2 (1000)") })
            #expect(events(server).dropFirst(2).allSatisfy { $0 == "anomaly" } && events(server).count > 2)
        }
    }

    @Test("A missed run is told; what nobody wants is not")
    func missed() async throws {
        try await LoopbackServer.serve({ _ in .init(200) }) { server in
            let engine = try await engine {
                $0.webhook = Secret(server.origin)
                $0.events = [.missed]
            }
            var change = BackupJobChange()
            change.name = "nightly"
            let job = try await engine.createJob(change)
            var request = BackupRequest()
            request.job = JobReference("nightly")
            _ = await failure { _ = try await engine.backup(request) }
            #expect(server.requests.isEmpty)
            let due = Timestamp.now()
            let missed = try #require(try await engine.recordMissedRun(job: job.id, due: due))
            #expect(server.requests.isEmpty)
            await engine.tell(missed)
            #expect(events(server) == ["missed"])
            #expect(try await engine.recordMissedRun(job: job.id, due: due) == nil)
        }
    }

    @Test("A server that fails is asked again, and its failure is a warning that tells no address")
    func patience() async throws {
        try fill(1)
        try await LoopbackServer.serve({ $0.path.hasPrefix("/flaky") ? .init(503) : .init(404) }) { server in
            let engine = try await engine { $0.pingURL = Secret(server.origin + "/flaky/hush") }
            let response = try await engine.backup(BackupRequest())
            #expect(response.success)
            #expect(response.warnings.contains("the ping of the run's end failed: the server answered 503"))
            #expect(!"\(response.warnings)".contains("hush"))
            // Once for the beginning, three times for the end.
            #expect(server.requests.map(\.path) == ["/flaky/hush/start"] + Array(repeating: "/flaky/hush", count: 3))
        }
        let gone = try await engine { $0.pingURL = Secret("http://127.0.0.1:1/hush") }
        let response = try await gone.backup(BackupRequest())
        #expect(response.success && response.warnings.contains { $0.contains("the ping of the run's end failed") })
        #expect(!"\(response.warnings)".contains("hush"))
    }

    @Test("A redirection is final, and nothing is sent to where it leads", arguments: [301, 302, 303, 307, 308])
    func redirection(status: Int) async throws {
        try await LoopbackServer.serve({ request in
            request.path.hasPrefix("/other") ? .init(200) : .init(status, headers: [("Location", "/other")])
        }) { server in
            let engine = try await engine {
                $0.webhook = Secret(server.origin + "/hook")
                $0.pingURL = Secret(server.origin + "/ping")
            }
            let steps = StepWatch()
            _ = await failure {
                _ = try await engine.under(RunControl(observer: steps.observer)).backup(BackupRequest())
            }
            #expect(server.requests.map(\.path).sorted() == ["/hook", "/ping/fail", "/ping/start"])
            #expect(server.requests.allSatisfy { $0.method == "POST" })
            for line in [
                "the webhook was not told of the failure: the server answered \(status)",
                "the ping of the run's end failed: the server answered \(status)",
            ] {
                #expect(steps.warnings.contains { $0.hasPrefix(line) }, "\(steps.warnings)")
            }
        }
    }

    @Test("A run that could not begin is told, since it is no backup either; so is the recovery from that")
    func unwritableAudit() async throws {
        try fill(1)
        try await LoopbackServer.serve({ _ in .init(200) }) { server in
            let engine = try await engine {
                $0.webhook = Secret(server.origin + "/hook")
                $0.pingURL = Secret(server.origin + "/ping")
            }
            var change = BackupJobChange()
            change.name = "nightly"
            let job = try await engine.createJob(change)
            var request = BackupRequest()
            request.job = JobReference("\(job.id)")
            let catalog = try TestDatabase(
                bench.backups + "/catalog.sqlite",
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'not now'); END")
            let error = await failure { _ = try await engine.backup(request) }
            #expect(error.message.hasPrefix("the audit log cannot be written, so nothing was done"), "\(error)")
            #expect(server.requests.map(\.path).sorted() == ["/hook", "/ping/fail"])
            let told = try #require(server.requests.first { $0.path == "/hook" })
            #expect(told["X-Elder-Backup-Event"] == "failure")
            let body = try #require(try JSONSerialization.jsonObject(with: Data(told.body)) as? [String: Any])
            let named = try #require(body["job"] as? [String: Any])
            #expect(named["id"] as? Int64 == job.id && named["name"] as? String == "nightly")
            #expect((body["message"] as? String)?.contains("audit log cannot be written") == true)
            try catalog.run("DROP TRIGGER no_audit")
            _ = try await engine.backup(request)
            #expect(events(server).filter { !$0.isEmpty } == ["failure", "recovery"])
        }
    }

    @Test("A run whose catalog cannot be opened is told, and what cannot be told is a warning")
    func unopened() async throws {
        try Data("no catalog".utf8).write(to: URL(filePath: bench.file("catalog.sqlite")))
        try await LoopbackServer.serve({ $0.path.hasPrefix("/hook") ? .init(500) : .init(200) }) { server in
            var configuration = EngineConfiguration(backupDirectory: bench.backups)
            configuration.catalogURL = .sqlite(path: bench.file("catalog.sqlite"))
            configuration.announcements.pingURL = Secret(server.origin + "/ping/hush")
            configuration.announcements.webhook = Secret(server.origin + "/hook/hush")
            configuration.announcements.callPause = .milliseconds(10)
            let warnings = Mutex<[String]>([])
            let error = await failure {
                _ = try await BackupEngine.open(
                    forRunOf: JobReference("nightly"), configuration: configuration,
                    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
                ) { event in
                    if case .warning(let line) = event { warnings.withLock { $0.append(line) } }
                }
            }
            #expect(error.code == .catalog)
            let ping = try #require(server.requests.first { $0.path.hasPrefix("/ping") })
            #expect(ping.path == "/ping/hush/fail" && ping.text == error.description)
            let calls = server.requests.filter { $0.path == "/hook/hush" }
            #expect(calls.count == 3)
            let body = try #require(
                try JSONSerialization.jsonObject(with: Data(calls[0].body)) as? [String: Any])
            #expect((body["job"] as? [String: Any])?["name"] as? String == "nightly" && body["backup"] == nil)
            #expect(body["event"] as? String == "failure" && body["message"] as? String == error.description)
            #expect(
                warnings.withLock { $0 } == ["the webhook was not told of the failure: the server answered 500"])
        }
    }

    @Test("A job that cannot be found is told by the name it was asked for")
    func unknownJob() async throws {
        try await LoopbackServer.serve({ _ in .init(200) }) { server in
            let engine = try await engine {
                $0.webhook = Secret(server.origin + "/hook")
                $0.pingURL = Secret(server.origin + "/ping")
            }
            var request = BackupRequest()
            request.job = JobReference("nightly")
            #expect(await failure { _ = try await engine.backup(request) }.code == .notFound)
            #expect(server.requests.map(\.path).sorted() == ["/hook", "/ping/fail"])
            let told = try #require(server.requests.first { $0.path == "/hook" })
            let body = try #require(try JSONSerialization.jsonObject(with: Data(told.body)) as? [String: Any])
            let named = try #require(body["job"] as? [String: Any])
            #expect(named["name"] as? String == "nightly" && named["id"] == nil)
        }
    }

    @Test("The first run behind one that lacked a copy is a recovery")
    func recoveredCopy() async throws {
        try fill(1)
        try await LoopbackServer.serve({ _ in .init(200) }) { server in
            let engine = try await engine { $0.webhook = Secret(server.origin) }
            _ = try await engine.backup(BackupRequest())
            _ = try await engine.backup(BackupRequest())
            #expect(events(server).isEmpty)
            // As a run leaves it whose copy failed.
            try query(
                "ATTACH '\(bench.backups)/catalog.sqlite' AS c; "
                    + "INSERT INTO c.backup_copies(backup_id, store, state, endpoint, bucket, object_key, url, "
                    + "created_at, updated_at) VALUES(2, 's3', 'failed', 'e', 'b', 'k', 'u', "
                    + "'2026-01-01 00:00:00', '2026-01-01 00:00:00')")
            _ = try await engine.backup(BackupRequest())
            #expect(events(server) == ["recovery"])
            _ = try await engine.backup(BackupRequest())
            #expect(events(server) == ["recovery"])
        }
    }

    @Test("A dead man's switch is told of the beginning and the end, a job's own instead of the common one")
    func pings() async throws {
        try await LoopbackServer.serve({ _ in .init(200, "OK") }) { server in
            let engine = try await engine { $0.pingURL = Secret(server.origin + "/common") }
            _ = await failure { _ = try await engine.backup(BackupRequest()) }
            #expect(server.requests.map(\.path) == ["/common/start", "/common/fail"])
            let text = try #require(server.requests.last?.text)
            #expect(text.contains("app.sqlite"))
            try fill(1)
            var change = BackupJobChange()
            change.name = "own"
            change.options.pingURL = .set(Secret(server.origin + "/own"))
            _ = try await engine.createJob(change)
            var request = BackupRequest()
            request.job = JobReference("own")
            _ = try await engine.backup(request)
            #expect(server.requests.dropFirst(2).map(\.path) == ["/own/start", "/own"])
        }
    }

    @Test("Slack gets a text, and mail goes through a program")
    func slackAndMail() async throws {
        let program = bench.file("sendmail")
        try "#!/bin/sh\necho \"$@\" > \(bench.file("arguments"))\ncat > \(bench.file("mail"))\n"
            .write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        try await LoopbackServer.serve({ _ in .init(200) }) { server in
            let engine = try await engine {
                $0.slack = Secret(server.origin + "/services/hush")
                $0.recipients = ["ops@example.org", "ada@example.org"]
                $0.sendmail = program
            }
            var change = BackupJobChange()
            change.name = "<nächtlich> & co"
            _ = try await engine.createJob(change)
            var request = BackupRequest()
            request.job = JobReference("<nächtlich> & co")
            _ = await failure { _ = try await engine.backup(request) }
            let message = try #require(server.requests.first?.text)
            #expect(message.contains("&lt;nächtlich&gt; &amp; co failed"), "\(message)")
            let mail = try String(contentsOfFile: bench.file("mail"), encoding: .utf8)
            #expect(mail.hasPrefix("To: ops@example.org,\n ada@example.org\nSubject: =?utf-8?B?"), "\(mail)")
            let body = mail.components(separatedBy: "\n\n").dropFirst().joined()
            let text = Data(base64Encoded: body, options: .ignoreUnknownCharacters).map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(text?.contains("event   failure") == true)
            #expect(try String(contentsOfFile: bench.file("arguments"), encoding: .utf8) == "-t -i\n")
        }
    }

    @Test("Nothing in a message can become a header of it")
    func injection() throws {
        let mail = Mail(
            recipients: ["ops@example.org\nBcc: eve@example.org", "ops@example.org"],
            subject: "a\r\nBcc: eve@example.org\n\nhello", lines: ["Bcc: eve@example.org", "."])
        let text = String(decoding: mail.bytes, as: UTF8.self)
        #expect(!text.contains("Bcc") && !text.contains("\r"))
        let head = text.components(separatedBy: "\n\n")[0].split(separator: "\n")
        #expect(
            head.filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } } == [
                "To", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted",
            ])
        #expect(head.allSatisfy { $0.utf8.count <= 78 })
    }

    @Test("A program of mail that hangs or is not there is a warning")
    func noMail() async throws {
        try fill(1)
        let engine = try await engine {
            $0.recipients = ["ops@example.org"]
            $0.sendmail = "/nowhere/sendmail"
        }
        let warnings = Mutex<[String]>([])
        let control = RunControl { if case .warning(let line) = $0 { warnings.withLock { $0.append(line) } } }
        var request = BackupRequest()
        request.includeTables = ["nothing"]
        _ = await failure { _ = try await engine.under(control).backup(request) }
        #expect(warnings.withLock { $0 }.contains { $0.contains("no mail was sent of the failure: /nowhere/sendmail") })
    }
}
