import CSQLite
import Foundation
import Glibc
import Testing

/// The service as a program of its own, that dies and comes back.
@Suite struct EndToEndServiceTests {
    private func until(_ seconds: Double = 30, _ isSo: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while try !isSo(), ContinuousClock.now < end { usleep(50_000) }
        #expect(try isSo())
    }

    private func catalog(_ test: EndToEnd, _ sql: String) throws -> String? {
        let database = try Database(test.path("backups/catalog.sqlite"))
        sqlite3_busy_timeout(database.handle, 10_000)
        return try database.first(sql)
    }

    @Test("A service that is killed in the midst of a run closes it when it is back, and its schedule goes on")
    func killed() throws {
        let test = try EndToEnd()
        test.environment["BACKUP_LISTEN"] = "127.0.0.1:0"
        let made = try test.run(
            "job", "create", "minutely", "--source", "sqlite:app.sqlite", "--schedule", "* * * * *", "--pre-command",
            "while [ ! -e '\(test.path("go"))' ]; do sleep 0.05; done")
        #expect(made.status == 0, "\(made.messages)")
        // As if it had been due a moment ago.
        try test.database(
            "backups/catalog.sqlite", "UPDATE backup_jobs SET schedule_changed_at = datetime('now', '-1 minute')")
        let first = try EndToEndRunTests.Running(["serve"], test)
        try until { try catalog(test, "SELECT status FROM backups") == "running" }
        kill(first.process.processIdentifier, SIGKILL)
        first.process.waitUntilExit()
        #expect(try catalog(test, "SELECT status FROM backups") == "running")
        try test.write([], to: "go")

        let second = try EndToEndRunTests.Running(["serve"], test)
        defer { if second.process.isRunning { kill(second.process.processIdentifier, SIGKILL) } }
        try until { try catalog(test, "SELECT status FROM backups WHERE id = 1") == "failed" }
        #expect(try catalog(test, "SELECT error_message FROM backups WHERE id = 1")?.contains("died") == true)
        // Due within the next minute.
        try until(90) { try catalog(test, "SELECT status FROM backups WHERE id = 2") == "completed" }
        #expect(try catalog(test, "SELECT count(*) FROM backups WHERE status = 'running'") == "0")
        kill(second.process.processIdentifier, SIGTERM)
        #expect(try second.end().status == 0)
    }

    @Test("A command ends the run of another process, which writes down who did it")
    func cancelled() throws {
        let test = try EndToEnd()
        #expect(
            try test.run("job", "create", "held", "--source", "sqlite:app.sqlite", "--pre-command", "sleep 600").status
                == 0)
        let run = try EndToEndRunTests.Running(["job", "run", "held"], test)
        try until { try catalog(test, "SELECT status FROM backups") == "running" }
        let cancel = try test.run("cancel", "1", "--json")
        #expect(cancel.status == 0, "\(cancel.messages)")
        #expect(cancel.object?["ended"] as? Bool == true)
        let end = try run.end()
        #expect(end.status == 1 && end.messages.contains("on the command line"), "\(end.messages)")
        #expect(try catalog(test, "SELECT error_message FROM backups")?.hasPrefix("cancelled by ") == true)
        expectFailure(try test.run("cancel", "1", "--json"), code: "not_found", saying: ["backup 1 does not run"])
    }

    @Test("A run that does not end within the wait is not said to have been stopped")
    func notCancelled() throws {
        let test = try EndToEnd()
        #expect(
            try test.run("job", "create", "held", "--source", "sqlite:app.sqlite", "--pre-command", "sleep 600").status
                == 0)
        let run = try EndToEndRunTests.Running(["job", "run", "held"], test)
        try until { try catalog(test, "SELECT status FROM backups") == "running" }
        // What cannot look for an order, and lives.
        kill(run.process.processIdentifier, SIGSTOP)
        let cancel = try test.run("cancel", "1", "--wait", "1s", "--json")
        let unwaited = try test.run("cancel", "1", "--wait", "0", "--json")
        kill(run.process.processIdentifier, SIGCONT)
        expectFailure(cancel, status: 5, code: "locked", saying: ["was told to stop, and still runs after 1s"])
        #expect(unwaited.status == 0 && unwaited.object?["ended"] as? Bool == false)
        #expect(try run.end().status == 1)
        #expect(try catalog(test, "SELECT error_message FROM backups")?.hasPrefix("cancelled by ") == true)
    }

    @Test("A command in another PID namespace, and with another host name, leaves a live run alone")
    func namespaces() throws {
        let test = try EndToEnd()
        let isolated = "unshare --user --map-root-user --pid --uts --fork --mount-proc sh -c"
        // Where the kernel lets nobody make one there is nothing to be tested.
        guard try test.shell("\(isolated) true").status == 0 else { return }
        let made = try test.run(
            "job", "create", "held", "--source", "sqlite:app.sqlite", "--pre-command",
            "while [ ! -e '\(test.path("go"))' ]; do sleep 0.05; done")
        #expect(made.status == 0)
        let run = try EndToEndRunTests.Running(["job", "run", "held"], test)
        try until { try catalog(test, "SELECT status FROM backups") == "running" }
        #expect(try test.shell("\(isolated) 'elder-backup list'").status == 0)
        #expect(try catalog(test, "SELECT status FROM backups") == "running")
        #expect(try test.shell("\(isolated) 'hostname other; elder-backup list'").status == 0)
        #expect(try catalog(test, "SELECT status FROM backups") == "running")
        try test.write([], to: "go")
        #expect(try run.end().status == 0)
        #expect(try test.states() == [1: "completed"])
    }

    @Test("A command of a job sees none of our secrets, and what became of the run")
    func hookEnvironment() throws {
        let test = try EndToEnd()
        let secrets = [
            "BACKUP_S3_SECRET_KEY", "BACKUP_ENCRYPTION_KEY", "BACKUP_NOTIFY_WEBHOOK_SECRET", "DATABASE_URL",
            "PGPASSWORD",
            "JWT_SECRET_KEY", "SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "SOMETHING_ELSE",
        ]
        for name in secrets { test.environment[name] = "sqlite:/hush-hush-hush-hush-hush-hush-hush" }
        test.environment["BACKUP_S3_ACCESS_KEY"] = "access"
        test.environment["HOOK_EXTRA"] = "for the hook"
        let made = try test.run(
            "job", "create", "app", "--source", "sqlite:app.sqlite", "--post-command", "env > '\(test.path("told"))'")
        #expect(made.status == 0, "\(made.messages)")
        let run = try test.run("job", "run", "app", "--json")
        #expect(run.status == 0, "\(run.messages)")
        let told = String(decoding: try test.read("told"), as: UTF8.self).split(separator: "\n")
        #expect(!told.contains { $0.contains("hush") }, "\(told)")
        let file = try #require(run.object?["file_path"] as? String)
        for line in [
            "ELDER_BACKUP_JOB=app", "ELDER_BACKUP_STATUS=completed", "ELDER_BACKUP_ID=1", "ELDER_BACKUP_FILE=\(file)",
            "ELDER_BACKUP_ERROR=", "HOOK_EXTRA=for the hook",
        ] {
            #expect(told.contains { $0 == line }, "\(line)")
        }
        #expect(told.contains { $0.hasPrefix("PATH=") })
    }

    @Test("What is secret among the new settings is masked, and a wrong value is told without it")
    func settings() throws {
        let test = try EndToEnd()
        let shown = try test.run(
            "config", "show", "--json",
            environment: [
                "BACKUP_PING_URL": "https://hc.example/hush", "BACKUP_NOTIFY_SLACK": "https://slack.example/hush",
                "BACKUP_NOTIFY_WEBHOOK": "https://hook.example/hush", "BACKUP_NOTIFY_WEBHOOK_SECRET": "hush-hush",
                "BACKUP_NOTIFY_EMAIL": "ops@example.org, ada@example.org", "BACKUP_NOTIFY_ON": "missed,failure",
                "BACKUP_MAX_RUNS": "5",
            ])
        #expect(shown.status == 0 && !shown.output.contains("hush"), "\(shown.messages)")
        #expect(shown.setting("BACKUP_PING_URL").value == "********")
        #expect(shown.setting("BACKUP_NOTIFY_ON").value == "failure,missed")
        #expect(shown.setting("BACKUP_MAX_RUNS").value == "5" && shown.setting("BACKUP_MAX_QUEUE").value == "100")
        for (name, value) in [
            ("BACKUP_PING_URL", "hush"), ("BACKUP_NOTIFY_SLACK", "ftp://hush"),
            ("BACKUP_NOTIFY_WEBHOOK_SECRET", "hush"),
            ("BACKUP_NOTIFY_EMAIL", "a b"), ("BACKUP_NOTIFY_ON", "sometimes"), ("BACKUP_ANOMALY_PERCENT", "100"),
            ("BACKUP_SENDMAIL", "sendmail"), ("BACKUP_RETRY_DELAY", "1h"),
        ] {
            let bad = try test.run("config", "show", environment: [name: value])
            #expect(bad.status == 64 && bad.messages.contains(name) && !bad.messages.contains("hush"), "\(name)")
        }
        let serve = try test.run("serve", environment: ["BACKUP_MAX_RUNS": "0"])
        #expect(serve.status == 64 && serve.messages.contains("BACKUP_MAX_RUNS"))
    }

    @Test("Lists by status and time, and a job that goes with its backups")
    func lists() throws {
        let test = try EndToEnd()
        _ = try test.backup()
        _ = try test.backup()
        try test.database(
            "backups/catalog.sqlite", "UPDATE backups SET started_at = '2026-01-01 00:00:00' WHERE id = 1")
        func ids(_ arguments: String...) throws -> [Int] {
            let run = try CommandRun(["list", "--json"] + arguments, environment: test.environment, in: test.directory)
            return (run.object?["backups"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int }
        }
        #expect(try ids("--until", "2026-01-02") == [1])
        #expect(try ids("--since", "2026-01-02", "--status", "completed") == [2])
        #expect(try ids("--status", "failed") == [])
        #expect(try test.run("list", "--since", "yesterday").status == 64)
        let run = try test.run("job", "delete", "default", "--backups", "delete", "--yes", "--json")
        #expect(run.status == 0 && run.object?["deleted_backups"] as? Int == 2, "\(run.messages)")
        #expect(try ids() == [])
        #expect(try !test.tree().keys.contains { $0.hasSuffix(".json.gz") })
    }
}
