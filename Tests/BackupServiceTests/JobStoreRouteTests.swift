import BackupCatalog
import BackupCore
import BackupEngine
import Foundation
import NIOHTTP1
import NetworkTestSupport
import Testing

/// A job's own store and source over HTTP.
@Suite struct JobStoreRouteTests {
    private static let jobs = "/api/v1/backup/jobs"
    private static let secret = "PLANTEDsecret/of+the/store"

    private static func configure(_ configuration: inout EngineConfiguration) {
        configuration.allowed.endpoints = ["minio.example.com:9000"].compactMap { EndpointPattern($0) }
        configuration.allowed.sources = [
            "postgresql://db.example.com/*", "sqlite:/srv/app.sqlite", "postgresql://127.0.0.1:1/*",
        ].compactMap {
            SourcePattern($0)
        }
    }

    private func body(_ fields: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)
    }

    @Test("Elder's fields are taken, the secret is never given back, and its mask leaves it as it is")
    func life() async throws {
        try await ServiceBench.with(configure: JobStoreRouteTests.configure) { bench in
            let token = try await bench.token(.admin)
            let made = try await bench.ask(
                .POST, JobStoreRouteTests.jobs, token: token,
                body: body([
                    "name": "nightly", "s3_enabled": true, "s3_endpoint": "http://minio.example.com:9000",
                    "s3_bucket": "vault", "s3_region": "eu-central-1", "s3_access_key": "AKIA",
                    "s3_secret_key": JobStoreRouteTests.secret, "s3_prefix": "nightly/",
                    "source": "postgresql://app:PLANTEDpassword@db.example.com/app?sslmode=require",
                ]))
            #expect(made.status == 201, "\(made.error)")
            #expect(made.json["s3_enabled"] as? Bool == true && made.json["s3_bucket"] as? String == "vault")
            #expect(
                made.json["s3_secret_key"] as? String == "********" && made.json["s3_access_key"] as? String == "AKIA")
            #expect(made.json["source"] as? String == "postgresql://app:********@db.example.com/app?********")
            let list = try await bench.ask(.GET, JobStoreRouteTests.jobs, token: token)
            for reply in [made, list] { #expect(!String(decoding: reply.body, as: UTF8.self).contains("PLANTED")) }

            // What was shown, sent back as a whole, changes nothing.
            var fields = made.json
            let readOnly = ["id", "uuid", "created_at", "updated_at", "last_run_at", "retention", "hooks", "ping"]
            for name in readOnly { fields[name] = nil }
            let same = try await bench.ask(.PUT, JobStoreRouteTests.jobs + "/1", token: token, body: body(fields))
            #expect(same.status == 200, "\(same.error)")
            var (before, after) = (made.json, same.json)
            before["updated_at"] = nil
            after["updated_at"] = nil
            #expect(before as NSDictionary == after as NSDictionary)
            #expect(try await bench.storeKey(of: 1) == JobStoreRouteTests.secret)

            let changed = try await bench.ask(
                .PUT, JobStoreRouteTests.jobs + "/1", token: token,
                body: #"{"s3_enabled":false,"s3_secret_key":"other","s3_prefix":null,"source":null}"#)
            #expect(changed.json["s3_enabled"] as? Bool == false && changed.json["s3_prefix"] is NSNull)
            #expect(changed.json["source"] is NSNull)
            #expect(try await bench.storeKey(of: 1) == "other")
            let cleared = try await bench.ask(
                .PUT, JobStoreRouteTests.jobs + "/1", token: token,
                body: #"{"s3_enabled":null,"s3_secret_key":null,"s3_access_key":""}"#)
            #expect(cleared.json["s3_enabled"] is NSNull && cleared.json["s3_secret_key"] is NSNull)
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var body: String
        var field: String
        var status = 400
        var testDescription: String { body }
    }

    static let refused =
        [
            // Stores that nobody listed, by any name.
            "http://169.254.169.254", "http://[::ffff:169.254.169.254]", "http://2852039166", "http://0xa9fea9fe",
            "http://0251.0376.0251.0376", "http://169.254.43518", "http://localhost:9000", "http://minio.example.com",
            "https://minio.example.com:9001", "http://minio.example.com.evil.net:9000", "aws",
        ].map { endpoint($0, 403) }
        + [
            // What is no address of a store.
            "http://169.254.169.254/latest/meta-data", "http://minio.example.com:9000@169.254.169.254",
            "http://u:p@minio.example.com:9000", "http://169.254.169.254#minio.example.com:9000",
            "http://169.254.169.254?minio.example.com:9000", "http://minio.example.com:9000.evil.net",
            "http://minio%2Eexample.com:9000", "http://minio.example.com:9000/bucket", "http://minio.example.com:+9000",
            "ftp://minio.example.com:9000", "file:///etc/passwd", "http://minio.ex\u{0430}mple.com:9000",
            "http://minio.example.com:9000\\@evil.net", "http://minio.example.com:9000 evil.net",
        ].map { endpoint($0, 400) }
        + [
            "postgresql://169.254.169.254/app", "postgresql://db.example.com@169.254.169.254/app",
            "postgresql://u:PLANTED@other.example.com/app", "sqlite:/etc/passwd",
        ].map { source($0, 403) }
        + [
            "postgresql://db.example.com/app?host=/tmp", "postgresql://db.example.com/app?sslkey=/etc/passwd",
            "postgresql://db.example.com/app?passfile=/etc/shadow", "sqlite:app.sqlite", "PLANTED",
            "postgresql://db.example.com/a/b", "postgresql://u:********@db.example.com/app",
        ].map { source($0, 400) }
        + [
            Refused(body: #"{"name":"a","s3_enabled":true}"#, field: "s3_bucket", status: 409),
            Refused(body: #"{"name":"a","s3_enabled":"yes"}"#, field: "s3_enabled"),
            Refused(body: #"{"name":"a","s3_bucket":"Not_A_Bucket"}"#, field: "s3_bucket"),
            Refused(body: #"{"name":"a","s3_bucket":"vault","s3_region":"a/b"}"#, field: "s3_region"),
            Refused(
                body: #"{"name":"a","s3_bucket":"vault","s3_secret_key":"PLANTED"}"#, field: "s3_access_key",
                status: 409),
            Refused(
                body: #"{"name":"a","s3_bucket":"vault","s3_access_key":"AKIA"}"#, field: "s3_secret_key", status: 409),
            Refused(
                body: #"{"name":"a","s3_bucket":"vault","s3_access_key":"AKIA","s3_secret_key":"PLANTED x"}"#,
                field: "s3_secret_key"),
            Refused(body: #"{"name":"a","s3_secret_key":5}"#, field: "s3_secret_key"),
        ]

    private static func endpoint(_ text: String, _ status: Int) -> Refused {
        Refused(
            body: "{\"name\":\"a\",\"s3_bucket\":\"vault\",\"s3_endpoint\":\"\(escaped(text))\"}", field: "s3_endpoint",
            status: status)
    }

    private static func source(_ text: String, _ status: Int) -> Refused {
        Refused(body: "{\"name\":\"a\",\"source\":\"\(text)\"}", field: "source", status: status)
    }

    private static func escaped(_ text: String) -> String { text.replacingOccurrences(of: "\\", with: "\\\\") }

    @Test("What a client may not choose is refused by its field, and no secret comes back")
    func refusals() async throws {
        try await ServiceBench.with(configure: JobStoreRouteTests.configure) { bench in
            let token = try await bench.token(.admin)
            for refused in JobStoreRouteTests.refused {
                let reply = try await bench.ask(.POST, JobStoreRouteTests.jobs, token: token, body: refused.body)
                #expect(reply.status == refused.status, "\(refused)")
                #expect(
                    (reply.json["fields"] as? [String: String])?[refused.field] != nil, "\(refused): \(reply.error)")
                #expect(!String(decoding: reply.body, as: UTF8.self).contains("PLANTED"), "\(refused)")
            }
            #expect(try await bench.engine.jobs().isEmpty)
        }
    }

    @Test("What the command line set may stay, and may not be changed over the API to what is not listed")
    func setByCommand() async throws {
        try await ServiceBench.with(configure: JobStoreRouteTests.configure) { bench in
            let token = try await bench.token(.admin)
            var change = BackupJobChange()
            change.name = "local"
            change.source = "sqlite:/var/lib/own.sqlite"
            change.store.endpoint = "http://10.0.0.9:9000"
            change.store.bucket = "vault"
            _ = try await bench.engine.createJob(change)
            let kept = try await bench.ask(
                .PUT, JobStoreRouteTests.jobs + "/1", token: token,
                body: #"{"source":"sqlite:/var/lib/own.sqlite","s3_endpoint":"http://10.0.0.9:9000","description":"x"}"#
            )
            #expect(kept.status == 200, "\(kept.error)")
            for body in [#"{"source":"sqlite:/var/lib/other.sqlite"}"#, #"{"s3_endpoint":"http://10.0.0.9:9001"}"#] {
                let reply = try await bench.ask(.PUT, JobStoreRouteTests.jobs + "/1", token: token, body: body)
                #expect(reply.status == 403, "\(body)")
            }
            let listed = try await bench.ask(
                .PUT, JobStoreRouteTests.jobs + "/1", token: token, body: #"{"source":"sqlite:/srv/app.sqlite"}"#)
            #expect(listed.status == 200 && listed.json["source"] as? String == "sqlite:/srv/app.sqlite")
            // The configured database needs no listing.
            let own = try await bench.ask(
                .PUT, JobStoreRouteTests.jobs + "/1", token: token,
                body: "{\"source\":\"sqlite:\(bench.directory)/app.sqlite\"}")
            #expect(own.status == 200, "\(own.error)")
        }
    }

    @Test("Neither answers nor logs of any level hold a secret, whatever fails")
    func silence() async throws {
        let log = LogCollector()
        try await LoopbackServer.serve { _ in
            LoopbackServer.Answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        } _: { store in
            try await silence(log, store.origin)
            #expect(!store.requests.isEmpty)
        }
        let lines = log.lines
        #expect(!lines.isEmpty)
        #expect(!lines.contains { $0.contains("PLANTED") })
    }

    private func silence(_ log: LogCollector, _ store: String) async throws {
        let place = store.dropFirst("http://".count)
        try await ServiceBench.with(
            configure: {
                JobStoreRouteTests.configure(&$0)
                $0.allowed.endpoints += [EndpointPattern(String(place))].compactMap { $0 }
            }, logger: log.logger
        ) { bench in
            let token = try await bench.token(.admin)
            let made = try await bench.ask(
                .POST, JobStoreRouteTests.jobs, token: token,
                body: body([
                    "name": "failing", "source": "postgresql://app:PLANTEDpassword@127.0.0.1:1/app",
                    "s3_bucket": "vault", "s3_access_key": "AKIA", "s3_secret_key": JobStoreRouteTests.secret,
                ]))
            #expect(made.status == 201)
            var texts = [made]
            texts.append(try await bench.ask(.POST, JobStoreRouteTests.jobs + "/1/run", token: token))
            #expect(texts.last?.status == 500)
            // A run that is complete, and whose copy fails.
            let change = "{\"source\":null,\"s3_enabled\":true,\"s3_endpoint\":\"\(store)\"}"
            texts.append(try await bench.ask(.PUT, JobStoreRouteTests.jobs + "/1", token: token, body: change))
            texts.append(try await bench.ask(.POST, JobStoreRouteTests.jobs + "/1/run", token: token))
            #expect(texts.last?.json["s3_error"] is String, "\(texts.last?.error ?? "")")
            texts.append(try await bench.ask(.GET, "/api/v1/backup", token: token))
            texts.append(
                try await bench.ask(
                    .PUT, JobStoreRouteTests.jobs + "/1", token: token, body: #"{"s3_secret_key":"PLANTED x"}"#))
            texts.append(
                try await bench.ask(
                    .PUT, JobStoreRouteTests.jobs + "/1", token: token, body: #"{"source":"PLANTED://x"}"#))
            for reply in texts { #expect(!String(decoding: reply.body, as: UTF8.self).contains("PLANTED")) }
        }
    }
}

extension ServiceBench {
    /// A job's secret key as the catalog has it.
    fileprivate func storeKey(of job: Int64) async throws -> String? {
        try SQLiteCatalog.open(path: directory + "/backups/catalog.sqlite", migrate: false)
            .secrets(ofJob: job).storeKey?.revealed
    }
}
