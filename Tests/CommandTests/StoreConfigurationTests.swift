import Foundation
import Testing

/// The settings of the stores that backups are copied to.
@Suite struct StoreConfigurationTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func show(_ environment: [String: String], file: String? = nil) throws -> CommandRun {
        if let file { try directory.write(file, to: ".env") }
        let variables = Dictionary(
            uniqueKeysWithValues: environment.map { ($0.hasPrefix("AWS_") ? $0 : "BACKUP_S3_" + $0, $1) })
        return try CommandRun(["config", "show", "--json"], environment: variables, in: directory)
    }

    @Test("Without any variable there is no store")
    func defaults() throws {
        let run = try show([:])
        #expect(run.status == 0 && run.messages.isEmpty)
        #expect(run.setting("BACKUP_S3_ENABLED") == ("false", "default"))
        #expect(run.setting("BACKUP_S3_BUCKET") == (nil, "default"))
        #expect(run.setting("BACKUP_S3_REGION") == ("us-east-1", "default"))
        #expect(run.setting("BACKUP_S3_PREFIX") == ("elder/backups/", "default"))
        #expect(run.setting("BACKUP_S3_CREATE_BUCKET") == ("true", "default"))
        #expect(run.setting("BACKUP_S3_VERIFY") == ("auto", "default"))
        #expect(run.setting("BACKUP_S3_SSE") == ("none", "default"))
    }

    @Test("The environment comes before .env, and nothing counts as not set")
    func precedence() throws {
        let file = """
            BACKUP_S3_ENABLED=true
            BACKUP_S3_BUCKET=from-file
            BACKUP_S3_ENDPOINT=https://minio:9000
            BACKUP_S3_ACCESS_KEY=AKIAFILE
            BACKUP_S3_SECRET_KEY=hunter2
            BACKUP_S3_PREFIX=p/
            """
        let run = try show(["BUCKET": "from-environment", "PREFIX": "", "REGION": ""], file: file)
        #expect(run.status == 0 && run.messages.isEmpty, "\(run.messages)")
        #expect(run.setting("BACKUP_S3_ENABLED") == ("true", ".env"))
        #expect(run.setting("BACKUP_S3_BUCKET") == ("from-environment", "environment"))
        #expect(run.setting("BACKUP_S3_PREFIX") == ("p/", ".env"))
        #expect(run.setting("BACKUP_S3_REGION") == ("us-east-1", "default"))
        for name in ["ACCESS_KEY", "SECRET_KEY"] {
            #expect(run.setting("BACKUP_S3_" + name) == ("********", ".env"))
        }
        #expect(!run.output.contains("hunter2") && !run.output.contains("AKIAFILE"))
    }

    @Test("Switched on without a bucket is an error, not a warning", arguments: ["true", "TRUE", "1", "yes", "on"])
    func enabledWithoutBucket(text: String) throws {
        let run = try show(["ENABLED": text, "ENDPOINT": "https://minio:9000", "BUCKET": ""])
        #expect(run.status == 64 && run.object?["code"] as? String == "configuration")
        #expect(run.messages.contains("BACKUP_S3_ENABLED is true, and BACKUP_S3_BUCKET is not set"))
        let backup = try CommandRun(
            ["backup", "--source", "sqlite:none", "--json"], environment: ["BACKUP_S3_ENABLED": text], in: directory)
        #expect(backup.status == 64)
    }

    @Test("Every command but those that need no configuration stops at a wrong value")
    func everyCommand() throws {
        for command in [["list"], ["stats"], ["verify", "--all"], ["catalog", "migrate"]] {
            let run = try CommandRun(
                command, environment: ["BACKUP_S3_BUCKET": "X", "BACKUP_DIR": directory.path("b")], in: directory)
            #expect(run.status == 64 && run.messages.contains("BACKUP_S3_BUCKET"))
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("b")))
    }

    static let wrong: [(name: String, text: String)] = [
        ("ENABLED", "maybe"), ("BUCKET", "ab"), ("BUCKET", "Upper"), ("BUCKET", "under_score"), ("BUCKET", "a..b"),
        ("BUCKET", "-abc"), ("BUCKET", "abc."), ("BUCKET", "192.168.0.1"), ("BUCKET", "a/b"),
        ("BUCKET", String(repeating: "b", count: 64)), ("REGION", "us east"), ("REGION", "us/east"),
        ("PREFIX", "a\u{1}b"), ("PROVIDER", "amazon"), ("ADDRESSING", "virtual"), ("CREATE_BUCKET", "perhaps"),
        ("VERIFY", "none"), ("SSE", "AES128"), ("STORAGE_CLASS", "STANDARD IA"), ("OBJECT_LOCK", "governance"),
        ("OBJECT_LOCK", "governance:0"), ("OBJECT_LOCK", "legal:3"), ("OBJECT_LOCK", "compliance:+3"),
        ("OBJECT_LOCK", "compliance:36501"), ("OBJECT_LOCK", "governance:1:2"), ("CONCURRENCY", "0"),
        ("CONCURRENCY", "65"), ("MEMORY", "1MiB"), ("MEMORY", "8GiB"), ("MEMORY", "much"),
    ]

    @Test("A wrong value stops with name, what was found and what is allowed", arguments: wrong)
    func wrongValues(name: String, text: String) throws {
        for prefix in ["", "REPLICA_1_"] where prefix.isEmpty || name != "ENABLED" {
            var variables = ["BUCKET": "good"]
            variables[prefix + "BUCKET"] = "other"
            variables[prefix + name] = text
            let run = try show(variables)
            #expect(run.status == 64)
            #expect(run.object?["code"] as? String == "configuration")
            #expect(run.messages.hasPrefix("elder-backup: BACKUP_S3_\(prefix)\(name) is \""), "\(run.messages)")
            #expect(run.messages.contains("allowed is"))
            #expect(run.messages.split(separator: "\n").count == 1)
        }
    }

    static let endpoints = [
        "ftp://host", "https://", "https://host/path", "https://user:hunter2@host", "https://host:port", "http://a b",
    ]

    @Test("An address that is none is refused", arguments: endpoints)
    func wrongEndpoints(text: String) throws {
        let run = try show(["BUCKET": "good", "ENDPOINT": text])
        #expect(run.status == 64)
        #expect(run.messages.contains("BACKUP_S3_ENDPOINT"))
        #expect(run.messages.contains("https://host"))
    }

    static let misfits: [(variables: [String: String], variable: String)] = [
        (["ENDPOINT": "https://s3.wasabisys.com", "STORAGE_CLASS": "GLACIER"], "STORAGE_CLASS"),
        (["ENDPOINT": "https://x.r2.cloudflarestorage.com", "OBJECT_LOCK": "governance:1"], "OBJECT_LOCK"),
        (["PROVIDER": "r2", "ENDPOINT": "https://h", "SSE": "AES256"], "SSE"),
    ]

    @Test("What the provider does not have is refused by name", arguments: misfits)
    func unknownToProvider(_ misfit: (variables: [String: String], variable: String)) throws {
        let run = try show(misfit.variables.merging(["BUCKET": "good"]) { $1 })
        #expect(run.status == 64)
        #expect(run.messages.hasPrefix("elder-backup: BACKUP_S3_\(misfit.variable) is \""), "\(run.messages)")
    }

    static let halves: [[String: String]] = [
        ["ACCESS_KEY": "AKIA"], ["SECRET_KEY": "hunter2"], ["SESSION_TOKEN": "hunter2"],
        ["ACCESS_KEY": "AKIA", "SESSION_TOKEN": "hunter2"],
    ]

    @Test("Keys come together or not at all", arguments: halves)
    func halfKeys(_ variables: [String: String]) throws {
        for prefix in ["", "REPLICA_1_"] {
            var all = ["BUCKET": "good", "ACCESS_KEY": "AKIA", "SECRET_KEY": "hunter2"]
            if prefix.isEmpty { all = ["BUCKET": "good"] } else { all["REPLICA_1_BUCKET"] = "other" }
            for (name, value) in variables { all[prefix + name] = value }
            let run = try show(all)
            #expect(run.status == 64 && run.messages.contains("BACKUP_S3_\(prefix)"))
            #expect(run.messages.contains("is set, and"))
            #expect(!(run.messages + run.output).contains("hunter2"))
        }
    }

    @Test("A replica inherits what is not its own")
    func replica() throws {
        let run = try show([
            "BUCKET": "good", "ENDPOINT": "https://minio:9000", "REGION": "eu", "PREFIX": "p/", "PROVIDER": "minio",
            "ACCESS_KEY": "A", "SECRET_KEY": "hunter2", "SESSION_TOKEN": "T", "OBJECT_LOCK": "governance:3",
            "VERIFY": "full", "REPLICA_1_BUCKET": "near", "REPLICA_2_BUCKET": "far",
            "REPLICA_2_ENDPOINT": "aws", "REPLICA_2_ACCESS_KEY": "B", "REPLICA_2_SECRET_KEY": "hunter3",
        ])
        #expect(run.status == 0, "\(run.messages)")
        func setting(_ name: String) -> (value: String?, origin: String?) { run.setting("BACKUP_S3_REPLICA_" + name) }
        #expect(setting("1_BUCKET") == ("near", "environment"))
        #expect(setting("1_ENDPOINT") == ("https://minio:9000", "BACKUP_S3_ENDPOINT"))
        #expect(setting("1_PROVIDER") == ("minio", "BACKUP_S3_PROVIDER"))
        #expect(setting("1_SESSION_TOKEN") == ("********", "BACKUP_S3_SESSION_TOKEN"))
        #expect(setting("1_VERIFY") == ("full", "BACKUP_S3_VERIFY"))
        #expect(setting("1_OBJECT_LOCK") == (nil, "default"))
        #expect(setting("2_ENDPOINT") == ("aws", "environment"))
        #expect(setting("2_PREFIX") == ("p/", "BACKUP_S3_PREFIX"))
        #expect(setting("2_PROVIDER") == (nil, "default"))
        #expect(setting("2_SESSION_TOKEN") == (nil, "default"))
        #expect(!run.output.contains("hunter"))
    }

    static let numberings: [(variables: [String: String], words: String)] = [
        (["REPLICA_2_BUCKET": "other"], "BACKUP_S3_REPLICA_1_BUCKET is not"),
        (["REPLICA_1_BUCKET": "one", "REPLICA_3_BUCKET": "three"], "BACKUP_S3_REPLICA_2_BUCKET is not"),
        (["REPLICA_1_REGION": "eu"], "BACKUP_S3_REPLICA_1_BUCKET is not: name the replica's bucket"),
        (["REPLICA_1_BUCKET": "good"], "name the same place"),
        (["REPLICA_1_BUCKET": "one", "REPLICA_2_BUCKET": "one"], "name the same place"),
    ]

    @Test("Replicas are numbered without a gap and lie in different places", arguments: numberings)
    func gaps(_ example: (variables: [String: String], words: String)) throws {
        let run = try show(example.variables.merging(["BUCKET": "good"]) { $1 })
        #expect(run.status == 64 && run.messages.contains(example.words), "\(run.messages)")
    }

    @Test("A replica without a primary store is an error")
    func lonelyReplica() throws {
        let run = try show(["REPLICA_1_BUCKET": "one"])
        #expect(run.status == 64 && run.messages.contains("BACKUP_S3_BUCKET is not set"))
    }

    @Test("A variable that looks like a store's and is not is told of")
    func unknown() throws {
        let run = try show(["BUKET": "x", "REPLICA_1_BUKET": "x", "REPLICA_01_BUCKET": "x", "REPLICA_BUCKET": "x"])
        #expect(run.status == 0)
        #expect(run.messages.split(separator: "\n").count == 4)
        #expect(run.messages.contains("BACKUP_S3_REPLICA_01_BUCKET in the environment is not known"))
    }

    @Test("The key of SSE-C comes from a file that only its owner may read")
    func customerKey() throws {
        func run(_ text: String, mode: Int = 0o600) throws -> CommandRun {
            let path = directory.path("key")
            try? FileManager.default.removeItem(atPath: path)
            try Data(text.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return try show(["BUCKET": "good", "SSE": "sse-c", "SSE_C_KEY_FILE": "key"])
        }
        let plain = String(repeating: "k", count: 32)
        let hexadecimal = String(repeating: "aB", count: 32) + "\n"
        for text in [plain, hexadecimal, Data(plain.utf8).base64EncodedString() + "\r\n"] {
            let good = try run(text)
            #expect(good.status == 0, "\(good.messages)")
            #expect(!good.output.contains(plain) && !good.output.contains("aBaB"))
        }
        for text in ["", "short", plain + plain, String(repeating: "zz", count: 32)] {
            let bad = try run(text)
            #expect(bad.status == 64 && bad.messages.contains("32 bytes"))
            #expect(text.isEmpty || !bad.messages.contains(text))
        }
        let open = try run(plain, mode: 0o640)
        #expect(open.status == 64 && open.messages.contains("chmod 600"))
        try FileManager.default.removeItem(atPath: directory.path("key"))
        let gone = try show(["BUCKET": "good", "SSE_C_KEY_FILE": "key"])
        #expect(gone.status == 64 && gone.messages.contains("BACKUP_S3_SSE_C_KEY_FILE: cannot read"))
        let without = try show(["BUCKET": "good", "SSE": "sse-c"])
        #expect(without.status == 64 && without.messages.contains("BACKUP_S3_SSE_C_KEY_FILE is not set"))
        let idle = try show(["BUCKET": "good", "SSE_KMS_KEY_ID": "id"])
        #expect(idle.status == 64 && idle.messages.contains("is not aws:kms"))
    }

    @Test("A CA file must be there, whichever variable names it")
    func authorityFile() throws {
        try directory.write("-----BEGIN CERTIFICATE-----", to: "ca.pem")
        #expect(try show(["BUCKET": "good", "CA_FILE": "ca.pem"]).status == 0)
        let bundle = try show(["BUCKET": "good", "AWS_CA_BUNDLE": directory.path("ca.pem")])
        #expect(bundle.setting("BACKUP_S3_CA_FILE") == (directory.path("ca.pem"), "AWS_CA_BUNDLE"))
        for name in ["CA_FILE", "AWS_CA_BUNDLE"] {
            let run = try show(["BUCKET": "good", name: directory.path("missing.pem")])
            #expect(run.status == 64 && run.messages.contains("cannot read"), "\(run.messages)")
        }
    }
}
