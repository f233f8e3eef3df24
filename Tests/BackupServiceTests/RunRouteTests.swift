import AsyncHTTPClient
import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOCore
import NIOHTTP1
import NetworkTestSupport
import Synchronization
import Testing

@Suite("Runs that are followed, cancelled and waited for")
struct RunRouteTests {
    private static let base = "/api/v1/backup"
    private static let prefer = [("Prefer", "wait=5, respond-async")]

    /// A job whose runs wait, before their snapshot, until they are let go.
    private static func heldJob(_ bench: ServiceBench, _ name: String = "held") async throws -> Int64 {
        var change = BackupJobChange()
        change.name = name
        change.options.preCommand = .set("while [ ! -e '\(bench.directory)/go' ]; do sleep 0.02; done")
        return try await bench.engine.createJob(change).id
    }

    private static func letGo(_ bench: ServiceBench) throws {
        try Data().write(to: URL(filePath: bench.directory + "/go"))
    }

    private static func until(_ isSo: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !isSo(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await isSo())
    }

    @Test("What is not there, or goes on already, is told at once, also to those who wait for their answer")
    func toldAtOnce() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.maximumRuns = 1 }) { bench in
            let token = try await bench.token(.admin)
            let job = try await Self.heldJob(bench)
            let first = try await bench.ask(
                .POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            #expect(first.status == 202)
            // The only place is taken: an answer that waited for it would not come before the run is let go.
            #expect(try await bench.ask(.POST, Self.base + "/99/verify", token: token).status == 404)
            #expect(try await bench.ask(.POST, Self.base + "/99/restore", token: token, body: "{}").status == 404)
            #expect(try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token).status == 409)
            try Self.letGo(bench)
        }
    }

    @Test("Whom it takes to begin a run, it takes to end it", arguments: ["import", "restore"])
    func roles(kind: String) async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.maximumRuns = 1 }) { bench in
            let token = try await bench.token(.admin)
            _ = try await bench.engine.backup(BackupRequest())
            let job = try await Self.heldJob(bench)
            _ = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            let form =
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"u.json\"\r\n\r\n"
                + #"{"version":"1.2.0","tables":{"users":[]}}"# + "\r\n--b--\r\n"
            let asked = try await bench.ask(
                .POST, Self.base + (kind == "import" ? "/import" : "/1/restore"), token: token,
                body: kind == "import" ? form : "{}",
                headers: Self.prefer + (kind == "import" ? [("Content-Type", "multipart/form-data; boundary=b")] : []))
            #expect(asked.status == 202 && asked.json["kind"] as? String == kind)
            let path = Self.base + "/runs/\(try #require(asked.json["id"] as? String))/cancel"
            #expect(try await bench.ask(.POST, path, token: try await bench.token(.operator)).status == 403)
            #expect(try await bench.ask(.POST, path, token: token).status == 202)
            try Self.letGo(bench)
        }
    }

    @Test("A run is answered at once where the client prefers it, and ends by itself")
    func respondAsync() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let job = try await Self.heldJob(bench)
            let answer = try await bench.ask(
                .POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            #expect(answer.status == 202)
            #expect(answer.headers.first(name: "Location") == Self.base + "/1")
            #expect(answer.headers.first(name: "Preference-Applied") == "respond-async")
            #expect(answer.headers.first(name: "Retry-After") != nil)
            #expect(answer.json["state"] as? String == "running" && answer.json["backup_id"] as? Int == 1)
            let run = try #require(answer.json["id"] as? String)
            #expect(try await bench.ask(.GET, Self.base + "/1", token: token).json["status"] as? String == "running")
            // Another run of the job is refused at once.
            let second = try await bench.ask(
                .POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            #expect(second.status == 409 && second.json["code"] as? String == "locked")
            let missing = try await bench.ask(.POST, Self.base + "/jobs/99/run", token: token, headers: Self.prefer)
            #expect(missing.status == 404)
            try Self.letGo(bench)
            try await Self.until {
                try await bench.ask(.GET, Self.base + "/runs/\(run)", token: token).json["state"] as? String
                    == "completed"
            }
            let ended = try await bench.ask(.GET, Self.base + "/runs/\(run)", token: token)
            #expect((ended.json["result"] as? [String: Any])?["record_count"] as? Int == 2)
            #expect(try await bench.ask(.GET, Self.base + "/1", token: token).json["status"] as? String == "completed")
            #expect(try await bench.ask(.GET, Self.base + "/runs/none", token: token).status == 404)
        }
    }

    @Test("Verifications, restores and uploads have a run of their own to look at")
    func others() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            _ = try await bench.engine.backup(BackupRequest())
            let verified = try await bench.ask(
                .POST, Self.base + "/1/verify", token: token, headers: [("Prefer", "respond-async")])
            let place = try #require(verified.headers.first(name: "Location"))
            #expect(verified.status == 202 && place.hasPrefix(Self.base + "/runs/"))
            try await Self.until {
                try await bench.ask(.GET, place, token: token).json["state"] as? String == "completed"
            }
            let result = try await bench.ask(.GET, place, token: token).json["result"] as? [String: Any]
            #expect(result?["ok"] as? Bool == true)
            for path in ["/1/restore", "/1/upload", "/upload-missing"] {
                let answer = try await bench.ask(.POST, Self.base + path, token: token, headers: Self.prefer)
                let place = try #require(answer.headers.first(name: "Location"))
                // The target is not empty, and there is no store.
                try await Self.until {
                    let run = try await bench.ask(.GET, place, token: token)
                    return run.json["state"] as? String == "failed" && (run.json["error"] as? [String: Any]) != nil
                }
            }
            let list = try await bench.ask(.GET, Self.base + "/runs", token: token)
            #expect(list.json["count"] as? Int == 4)
            for path in ["/99/verify", "/99/restore", "/99/upload"] {
                let none = try await bench.ask(.POST, Self.base + path, token: token, headers: Self.prefer)
                #expect(none.status == 404)
            }
        }
    }

    @Test("A running backup is cancelled by name, once; who may only look may not")
    func cancel() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.engine.createToken(name: "ada", role: .operator).text
            let job = try await Self.heldJob(bench)
            _ = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            let viewer = try await bench.token(.viewer)
            #expect(try await bench.ask(.POST, Self.base + "/1/cancel", token: viewer).status == 403)
            let answer = try await bench.ask(.POST, Self.base + "/1/cancel", token: token)
            #expect(answer.status == 202 && (answer.json["runs"] as? [String])?.count == 1)
            try await Self.until { try await bench.engine.record(1).status == .failed }
            #expect(try await bench.engine.record(1).errorMessage == "cancelled by token:ada")
            try await Self.until {
                try await bench.ask(.POST, Self.base + "/1/cancel", token: token).status == 409
            }
            #expect(try await bench.ask(.POST, Self.base + "/99/cancel", token: token).status == 404)
            // The job can run again.
            try Self.letGo(bench)
            #expect(try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token).status == 202)
        }
    }

    @Test("A backup that another process runs is not this service's to cancel")
    func foreign() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let job = try await Self.heldJob(bench)
            let engine = bench.engine
            // Not begun by the service, as by a command.
            let run = Task {
                var request = BackupRequest()
                request.job = JobReference("\(job)")
                return try await engine.backup(request)
            }
            try await Self.until { try await engine.list().first?.status == .running }
            let answer = try await bench.ask(.POST, Self.base + "/1/cancel", token: token)
            #expect(answer.status == 409 && answer.error.contains("elder-backup cancel 1"), "\(answer.error)")
            try Self.letGo(bench)
            let events = try await bench.ask(.GET, Self.base + "/1/events", token: token)
            #expect(String(decoding: events.body, as: UTF8.self).contains("event: end\ndata: {\"backup\":{"))
            _ = try await run.value
        }
    }

    @Test("Runs beyond the limit wait in order, can be taken out, and are refused where the queue is full")
    func queue() async throws {
        try await ServiceBench.with(settings: { settings, _ in
            settings.maximumRuns = 1
            settings.longestQueue = 2
        }) { bench in
            let token = try await bench.token(.admin)
            var runs: [String] = []
            for name in ["a", "b", "c"] {
                let job = try await Self.heldJob(bench, name)
                let answer = try await bench.ask(
                    .POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
                runs.append(try #require(answer.json["id"] as? String))
                #expect(answer.json["state"] as? String == (name == "a" ? "running" : "queued"))
                if name != "a" {
                    #expect(answer.headers.first(name: "Location") == Self.base + "/runs/\(runs[runs.count - 1])")
                }
            }
            let job = try await Self.heldJob(bench, "d")
            let full = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token)
            #expect(
                full.status == 503 && full.headers.first(name: "Retry-After") != nil && full.error.contains("waiting"))
            #expect(try await bench.engine.list().count == 1)
            #expect(try await bench.ask(.POST, Self.base + "/runs/\(runs[1])/cancel", token: token).status == 202)
            try Self.letGo(bench)
            try await Self.until {
                try await bench.ask(.GET, Self.base + "/runs/\(runs[2])", token: token).json["state"] as? String
                    == "completed"
            }
            let dropped = try await bench.ask(.GET, Self.base + "/runs/\(runs[1])", token: token)
            #expect(dropped.json["state"] as? String == "failed")
            #expect((dropped.json["error"] as? [String: Any])?["code"] as? String == "cancelled")
            #expect(try await bench.engine.list().map(\.jobID) == [3, 1])
        }
    }

    /// Answers once it is let go.
    private final class Gate: Sendable {
        let isOpen = Atomic(false)
        let answers = Atomic(0)

        func answer() async -> LoopbackServer.Answer {
            while !isOpen.load(ordering: .relaxed) { try? await Task.sleep(for: .milliseconds(20)) }
            answers.add(1, ordering: .relaxed)
            return .init(204)
        }
    }

    @Test("A run that is over gives up its place and its lock before others are told of it")
    func deafListener() async throws {
        let gate = Gate()
        try await LoopbackServer.serve({ _ in await gate.answer() }) { server in
            defer { gate.isOpen.store(true, ordering: .relaxed) }
            try await ServiceBench.with(
                configure: { $0.announcements.webhook = Secret(server.origin) },
                settings: { settings, _ in settings.maximumRuns = 1 }
            ) { bench in
                let token = try await bench.token(.admin)
                var change = BackupJobChange()
                change.name = "fails"
                change.options.preCommand = .set("[ -e '\(bench.directory)/go' ] || exit 1")
                let job = try await bench.engine.createJob(change).id
                let failed = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token)
                #expect(failed.status >= 400)
                try Self.letGo(bench)
                let good = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token)
                #expect(good.json["success"] as? Bool == true, "\(good.error)")
                // Nobody has answered, and the third call has not been made.
                #expect(gate.answers.load(ordering: .relaxed) == 0 && server.requests.count < 3)
                gate.isOpen.store(true, ordering: .relaxed)
            }
            // The service waits for them when it stops.
            #expect(
                Set(server.requests.map { $0["X-Elder-Backup-Event"] }) == ["failure", "recovery"])
            #expect(gate.answers.load(ordering: .relaxed) >= 2)
        }
    }

    @Test("What cannot be told by the time the service stops does not hold it up for ever")
    func deafListenerAtTheEnd() async throws {
        let gate = Gate()
        try await LoopbackServer.serve({ _ in await gate.answer() }) { server in
            defer { gate.isOpen.store(true, ordering: .relaxed) }
            try await ServiceBench.with(
                configure: {
                    $0.announcements.webhook = Secret(server.origin)
                    // On a slow machine the call may have had its ten seconds before the service is told to stop.
                    $0.announcements.callPause = .seconds(600)
                },
                settings: { settings, _ in settings.announcementPatience = .seconds(1) }
            ) { bench in
                let token = try await bench.token(.admin)
                var change = BackupJobChange()
                change.name = "fails"
                change.options.preCommand = .set("exit 1")
                let job = try await bench.engine.createJob(change).id
                _ = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token)
                try await Self.until { !server.requests.isEmpty }
            }
            // The call was not made again.
            #expect(server.requests.count == 1 && gate.answers.load(ordering: .relaxed) == 0)
        }
    }

    @Test("A run whose end could not be written is not said to be another process's")
    func unwrittenEnd() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let catalog = bench.directory + "/backups/catalog.sqlite"
            var change = BackupJobChange()
            change.name = "fails"
            change.options.preCommand = .set("exit 1")
            let job = try await bench.engine.createJob(change).id
            try ServiceBench.query(
                "CREATE TRIGGER no_end BEFORE UPDATE ON backups BEGIN SELECT RAISE(ABORT, 'not now'); END", on: catalog)
            _ = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token)
            let unwritten = try await bench.ask(.POST, Self.base + "/1/cancel", token: token)
            #expect(unwritten.status == 409 && unwritten.error.contains("the run of backup 1 is over"))
            try ServiceBench.query("DROP TRIGGER no_end", on: catalog)
            let written = try await bench.ask(.POST, Self.base + "/1/cancel", token: token)
            #expect(written.status == 409 && written.error == "backup 1 does not run: it is failed", "\(written.error)")
            #expect(try await bench.engine.record(1).errorMessage?.contains("exit status 1") == true)
        }
    }

    private final class Outcome: Sendable {
        let reply = Mutex<ServiceBench.Reply?>(nil)
    }

    @Test("A service that stops empties its queue with a reason")
    func stopping() async throws {
        let outcome = Outcome()
        try await ServiceBench.with(settings: { settings, _ in
            settings.maximumRuns = 1
            settings.shutdownPatience = .milliseconds(200)
        }) { bench in
            let token = try await bench.token(.admin)
            let first = try await Self.heldJob(bench, "a")
            let second = try await Self.heldJob(bench, "b")
            _ = try await bench.ask(.POST, Self.base + "/jobs/\(first)/run", token: token, headers: Self.prefer)
            Task {
                let reply = try await bench.ask(.POST, Self.base + "/jobs/\(second)/run", token: token)
                outcome.reply.withLock { $0 = reply }
            }
            try await Self.until {
                let list = try await bench.ask(.GET, Self.base + "/runs", token: token).json["runs"] as? [[String: Any]]
                return list?.contains { $0["state"] as? String == "queued" } ?? false
            }
        }
        try await Self.until { outcome.reply.withLock { $0 } != nil }
        let reply = try #require(outcome.reply.withLock { $0 })
        #expect(reply.status == 503 && reply.error.contains("stopped before the run had its turn"), "\(reply.error)")
    }

    /// What a listener hears until the stream ends.
    private static func listen(_ bench: ServiceBench, _ path: String, _ token: String) async throws -> (
        type: String?, text: String
    ) {
        let answer = try await bench.ask(.GET, path, token: token)
        return (answer.headers.first(name: "Content-Type"), String(decoding: answer.body, as: UTF8.self))
    }

    @Test("Many hear the same of a run, to its end; of an ended one they hear the end")
    func events() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.viewer)
            let admin = try await bench.token(.admin)
            let job = try await Self.heldJob(bench)
            let answer = try await bench.ask(
                .POST, Self.base + "/jobs/\(job)/run", token: admin, headers: Self.prefer)
            let run = try #require(answer.json["id"] as? String)
            let listeners = (0..<20).map { number in
                Task {
                    try await Self.listen(
                        bench, Self.base + (number % 2 == 0 ? "/1" : "/runs/\(run)") + "/events", token)
                }
            }
            try Self.letGo(bench)
            for (number, listener) in listeners.enumerated() {
                let (type, text) = try await listener.value
                #expect(type == "text/event-stream; charset=utf-8")
                let end = number % 2 == 0 ? "event: end\ndata: {\"backup\":{" : "event: end\ndata: {\"run\":{"
                #expect(text.contains(end) && text.hasSuffix("\"state\":\"completed\"}\n\n"), "\(text)")
            }
            let late = try await Self.listen(bench, Self.base + "/1/events", token)
            #expect(late.text.hasPrefix("event: end\n") && late.text.contains("\"status\":\"completed\""))
            #expect(try await bench.ask(.GET, Self.base + "/99/events", token: token).status == 404)
            #expect(try await bench.ask(.GET, Self.base + "/1/events").status == 401)
        }
    }

    @Test("A listener hears of progress while it is made, and may leave")
    func progress() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.admin)
            let job = try await Self.heldJob(bench)
            _ = try await bench.ask(.POST, Self.base + "/jobs/\(job)/run", token: token, headers: Self.prefer)
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(bench.port)" + Self.base + "/1/events")
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            var text = ""
            for try await part in response.body {
                text += String(buffer: part)
                if text.contains("\n\n") { break }
            }
            #expect(
                text.hasPrefix("event: progress\ndata: {") && text.contains("\"step\":\"backup.recorded\""), "\(text)")
            // This listener is gone; the run does not care.
            try Self.letGo(bench)
            try await Self.until { try await bench.engine.record(1).status == .completed }
        }
    }
}
