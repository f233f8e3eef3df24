import Foundation
import FoundationNetworking
import Glibc
import NetworkTestSupport
import Testing

/// The program itself, with secrets planted in every place that takes one.
@Suite struct SecretTests {
    private static let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    private static let next = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="

    @Test("A new key by the file, and by the variables")
    func rotation() throws {
        let bench = try EndToEnd()
        bench.environment["S"] = "PLANTED"
        let made = try bench.run(
            "job", "create", "own", "--s3-bucket", "vault", "--s3-access-key", "AKIA", "--s3-secret-key-env", "S")
        #expect(made.status == 0, "\(made.messages)")
        let first = try bench.read("backups/secret.key")
        let rotated = try bench.run("config", "rotate-key", "--json")
        #expect(rotated.object?["values"] as? Int == 1 && rotated.object?["jobs"] as? Int == 1, "\(rotated.messages)")
        #expect(try bench.read("backups/secret.key") != first)
        // From the file to a variable, and from that to another.
        #expect(try bench.run("config", "rotate-key", environment: ["BACKUP_SECRET_KEY": SecretTests.key]).status == 0)
        try FileManager.default.removeItem(atPath: bench.path("backups/secret.key"))
        let refused = try bench.run(
            "config", "rotate-key", "--json", environment: ["BACKUP_SECRET_KEY": SecretTests.next])
        expectFailure(refused, status: 64, code: "configuration", saying: ["job 1 \"own\"", "BACKUP_SECRET_KEY_OLD"])
        let moved = try bench.run(
            "config", "rotate-key",
            environment: ["BACKUP_SECRET_KEY": SecretTests.next, "BACKUP_SECRET_KEY_OLD": SecretTests.key])
        #expect(moved.status == 0 && moved.output == "encrypted 1 secret of 1 job with the new key\n")
        for run in [rotated, refused, moved] {
            for text in ["PLANTED", SecretTests.key, SecretTests.next] {
                #expect(!run.output.contains(text) && !run.messages.contains(text))
            }
        }
    }

    @Test("A change of keys that is killed at any moment loses nothing")
    func killed() throws {
        let bench = try EndToEnd()
        bench.environment["S"] = "PLANTED"
        for name in ["a", "b"] {
            let made = try bench.run(
                "job", "create", name, "--s3-bucket", "vault", "--s3-access-key", "AKIA", "--s3-secret-key-env", "S")
            #expect(made.status == 0, "\(made.messages)")
        }
        var killed = 0
        for round in 0..<24 {
            let process = Process()
            process.executableURL = CommandRun.program
            process.arguments = ["config", "rotate-key"]
            process.environment = bench.environment
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            usleep(useconds_t(2_000 + round * 3_000))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            if process.terminationReason == .uncaughtSignal { killed += 1 }
            // Reads every value before it changes any.
            if round % 4 == 3 {
                let whole = try bench.run("config", "rotate-key", "--json")
                #expect(whole.object?["values"] as? Int == 2, "\(whole.messages)")
            }
        }
        #expect(killed > 0)
        #expect(try bench.tree().keys.filter { $0.contains("secret.key.next") && !$0.hasSuffix(".tmp") }.isEmpty)
    }

    @Test("A wrong setting stops the start, by its name, and does not repeat a secret")
    func settings() throws {
        let bench = try EndToEnd()
        for (name, value) in [
            ("BACKUP_SECRET_KEY", "PLANTED"), ("BACKUP_SECRET_KEY_OLD", "PLANTED" + SecretTests.key),
            ("BACKUP_ALLOWED_SOURCES", "postgresql://app:PLANTED@h/d"), ("BACKUP_ALLOWED_SOURCES", "sqlite:relative"),
            ("BACKUP_ALLOWED_S3_ENDPOINTS", "http://h:9000"),
        ] {
            let run = try bench.run("list", "--json", environment: [name: value])
            expectFailure(run, status: 64, code: "configuration", saying: [name, "allowed is"])
            #expect(!run.messages.contains("PLANTED"))
        }
        let show = try bench.run(
            "config", "show", "--json",
            environment: [
                "BACKUP_SECRET_KEY": SecretTests.key, "BACKUP_ALLOWED_SOURCES": "postgresql://h/*",
                "BACKUP_ALLOWED_S3_ENDPOINTS": "h:9000",
            ])
        #expect(show.setting("BACKUP_SECRET_KEY").value == "********")
        #expect(show.setting("BACKUP_ALLOWED_SOURCES").value == "postgresql://h/*")
        #expect(show.setting("BACKUP_ALLOWED_S3_ENDPOINTS").value == "h:9000")
        #expect(!show.output.contains(SecretTests.key))
    }

    @Test("A secret comes from a variable or from standard input, and is never an argument")
    func input() throws {
        let bench = try EndToEnd()
        let script = "printf 'PLANTED/key\\r\\nmore' | elder-backup job create own --s3-bucket vault "
        let made = try bench.shell(script + "--s3-access-key AKIA --s3-secret-key-stdin --json")
        #expect(made.object?["s3_secret_key"] as? String == "********", "\(made.messages)")
        let none = try bench.shell(
            "elder-backup job update own --s3-secret-key-stdin --json < /dev/null")
        expectFailure(none, status: 64, code: "usage", saying: ["--s3-secret-key-stdin", "standard input"])
        let missing = try bench.run("job", "update", "own", "--s3-secret-key-env", "PLANTED", "--json")
        expectFailure(missing, status: 64, code: "usage", saying: ["--s3-secret-key-env"])

        let argument = try bench.run("job", "update", "own", "--source", "postgresql://a:PLANTED@h/d", "--json")
        expectFailure(argument, status: 64, code: "usage", saying: ["--source-env"])
        #expect(!argument.messages.contains("PLANTED"))
        let both = try bench.run("job", "create", "x", "--s3-secret-key-env", "A", "--s3-secret-key-stdin", "--json")
        #expect(both.status == 64)
        let source = try bench.run(
            "job", "update", "own", "--source-env", "U", "--json", environment: ["U": "postgresql://a:PLANTED@h/d"])
        #expect(source.object?["source"] as? String == "postgresql://a:********@h/d", "\(source.messages)")
        let twice = try bench.run("job", "update", "own", "--s3-access-key", "", "--json")
        expectFailure(twice, status: 64, code: "configuration", saying: ["s3_access_key"])
    }

    // MARK: Planted secrets

    private static let planted = [
        "S": "PLANTEDstoreSecret/1",
        "U": "postgresql://app:PLANTEDpassword2@127.0.0.1:1/app?application_name=PLANTEDname3",
        "JWT_SECRET_KEY": "PLANTEDtokenKey4-which-is-long-enough-for-it", "BACKUP_S3_SECRET_KEY": "PLANTEDdefault5",
        "BACKUP_S3_ACCESS_KEY": "PLANTEDaccess6", "BACKUP_SECRET_KEY": key,
        "DATABASE_URL": "postgresql://app:PLANTEDdefault7@127.0.0.1:1/app", "BACKUP_S3_BUCKET": "all",
        "BACKUP_LISTEN": "127.0.0.1:0",
    ]

    @Test("No secret appears in what is printed, answered, logged or written, nor in an argument list")
    func nowhere() async throws {
        try await LoopbackServer.serve { _ in
            LoopbackServer.Answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        } _: { store in
            try await nowhere(store.origin)
            #expect(!store.requests.isEmpty)
        }
    }

    /// On a thread of its own: the store that the program asks needs those of the tests.
    private func command(_ arguments: [String], _ bench: EndToEnd) async throws -> CommandRun {
        let environment = bench.environment
        nonisolated(unsafe) let directory = bench.directory
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try CommandRun(arguments, environment: environment, in: directory) })
            }
        }
    }

    private func nowhere(_ store: String) async throws {
        let bench = try EndToEnd()
        bench.environment.merge(SecretTests.planted) { $1 }
        bench.environment["BACKUP_S3_ENDPOINT"] = store
        bench.environment["P"] = store + "/PLANTEDping14"
        bench.environment["BACKUP_PING_URL"] = store + "/PLANTEDping15"
        bench.environment["BACKUP_NOTIFY_WEBHOOK"] = store + "/PLANTEDhook16"
        bench.environment["BACKUP_NOTIFY_WEBHOOK_SECRET"] = "PLANTEDsignature17"
        bench.environment["BACKUP_NOTIFY_SLACK"] = store + "/PLANTEDslack18"
        var texts: [String] = []
        func run(_ arguments: String...) async throws {
            let run = try await command(arguments, bench)
            texts += [run.output, run.messages]
        }
        try await run("config", "show")
        try await run(
            "job", "create", "own", "--source", "sqlite:app.sqlite", "--s3-enabled", "true", "--s3-bucket", "vault",
            "--s3-access-key", "AKIA", "--s3-secret-key-env", "S", "--ping-url-env", "P", "--json")
        try await run("job", "create", "server", "--source-env", "U", "--json")
        try await run("job", "show", "server")
        try await run("job", "list")
        try await run("job", "run", "own")
        try await run("job", "run", "server", "--json")
        try await run("backup")
        try await run("upload", "--missing")
        try await run("s3", "check", "--job", "own")
        try await run("list", "--json")
        try await run("config", "rotate-key")
        let made = try CommandRun(
            ["token", "create", "--name", "ci", "--role", "admin", "--json"], environment: bench.environment,
            in: bench.directory)
        let token = try #require(made.object?["token"] as? String)
        let service = try RunningService(bench)
        defer { service.stop() }
        let bodies = [
            ("GET", "jobs", nil), ("GET", "jobs/1", nil), ("POST", "jobs/1/run", nil), ("POST", "jobs/2/run", nil),
            ("PUT", "jobs/1", #"{"s3_secret_key":"PLANTED8"}"#), ("PUT", "jobs/1", #"{"s3_secret_key":"PLANTED 9"}"#),
            ("PUT", "jobs/2", #"{"source":"postgresql://a:PLANTED10@h/d"}"#),
            ("PUT", "jobs/2", #"{"source":"PLANTED11"}"#),
            ("POST", "jobs", #"{"name":"x","s3_secret_key":"PLANTED12"}"#),
            ("POST", "jobs", #"{"s3_secret_key":"PLANTED13","#), ("GET", "", nil), ("GET", "stats", nil),
            ("POST", "upload-missing", nil), ("POST", "1/restore", #"{"dry_run":true}"#),
        ]
        var statuses: [Int] = []
        for (method, path, body) in bodies {
            let answer = try await service.ask(method, path, token: token, body: body)
            statuses.append(answer.status)
            texts.append(answer.text)
        }
        #expect(
            statuses.prefix(10) == [200, 200, 202, 500, 200, 400, 403, 400, 409, 400], "\(statuses)")
        texts.append(service.arguments)
        #expect(service.arguments.contains("serve"))
        service.stop()
        texts += [service.output, service.messages]
        #expect(service.messages.contains("request"))

        let secrets = ["PLANTED", SecretTests.key, token]
        for text in texts {
            for secret in secrets {
                let found = text.range(of: secret).map { String(text[..<$0.lowerBound].suffix(80)) }
                #expect(found == nil, "behind \(found ?? "")")
            }
        }
        let files = try bench.tree().filter { $0.key.hasPrefix("backups/") }
        #expect(files.keys.contains { $0.hasSuffix(".json.gz") } && files.keys.contains("backups/catalog.sqlite"))
        for (name, data) in files {
            let data = name.hasSuffix(".gz") ? Data(try bench.shell("zcat \(name)").output.utf8) : data
            for secret in secrets { #expect(data.range(of: Data(secret.utf8)) == nil, "\(name)") }
        }
    }
}

/// `serve` as a process, on a free port.
private final class RunningService {
    private let process = Process()
    private let outputFile: URL
    private let messageFile: URL
    private let port: Int

    struct Answer {
        var status: Int
        var text: String
    }

    init(_ bench: EndToEnd) throws {
        outputFile = bench.directory.url.appending(path: "serve.out")
        messageFile = bench.directory.url.appending(path: "serve.err")
        for file in [outputFile, messageFile] { try Data().write(to: file) }
        process.executableURL = CommandRun.program
        process.arguments = ["serve"]
        process.environment = bench.environment
        process.currentDirectoryURL = bench.directory.url
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: messageFile)
        try process.run()
        let deadline = ContinuousClock.now + .seconds(60)
        var found: Int?
        while found == nil, ContinuousClock.now < deadline, process.isRunning {
            let text = String(decoding: try Data(contentsOf: messageFile), as: UTF8.self)
            found = text.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            usleep(20_000)
        }
        guard let found else { throw EndToEndFailure(description: "the service does not listen") }
        port = found
    }

    func ask(_ method: String, _ path: String, token: String, body: String?) async throws -> Answer {
        let place = "http://127.0.0.1:\(port)/api/v1/backup" + (path.isEmpty ? "" : "/" + path)
        guard let url = URL(string: place) else { throw EndToEndFailure(description: "no address") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw EndToEndFailure(description: "no answer") }
        let headers = response.allHeaderFields.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
        return Answer(status: response.statusCode, text: headers + "\n" + String(decoding: data, as: UTF8.self))
    }

    /// As everyone on the machine can read them.
    var arguments: String {
        (try? Data(contentsOf: URL(filePath: "/proc/\(process.processIdentifier)/cmdline")))
            .map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
    var messages: String { (try? String(contentsOf: messageFile, encoding: .utf8)) ?? "" }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }
}
