import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import NetworkTestSupport
import Testing

@Suite("Readiness")
struct ReadinessTests {
    private func checks(_ reply: ServiceBench.Reply) -> [String: String] {
        reply.json["checks"] as? [String: String] ?? [:]
    }

    @Test("All is well, and what is not used is off; the answer tells no paths")
    func ready() async throws {
        try await ServiceBench.with { bench in
            let reply = try await bench.ask(.GET, "/ready")
            #expect(reply.status == 200 && reply.json["status"] as? String == "ready")
            #expect(checks(reply) == ["catalog": "ok", "disk": "ok", "s3": "off"])
        }
    }

    @Test("The check that a container makes asks where the settings say, over TLS too, and needs no token")
    func healthCheck() async throws {
        let directory = try Certificates.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Certificates.make("server", in: directory)
        let files = TLSFiles(certificate: directory + "/server.pem", key: directory + "/server.key")
        for tls in [nil, files] {
            try await ServiceBench.with(settings: { settings, _ in
                settings.tls = tls
                settings.minimumFree = .max
            }) { bench in
                var settings = ServiceSettings()
                settings.tls = tls
                settings.port = bench.port
                for host in ["127.0.0.1", "0.0.0.0", "localhost"] {
                    settings.host = host
                    let answer = try await HealthCheck(settings, needsReady: false, patience: .seconds(60)).ask()
                    #expect(answer.contains("ok"))
                }
                let unready = settings
                let error = await #expect(throws: BackupError.self) {
                    try await HealthCheck(unready, needsReady: true, patience: .seconds(60)).ask()
                }
                #expect(error?.message.contains("answered 503") == true && error?.message.contains("disk") == true)
            }
        }
        var settings = ServiceSettings()
        settings.port = 1
        let nobody = settings
        let error = await #expect(throws: BackupError.self) { try await HealthCheck(nobody, needsReady: false).ask() }
        #expect(error?.message.hasPrefix("no answer from http://127.0.0.1:1/health") == true)
    }

    @Test("Too little space, no directory and no catalog are told apart")
    func broken() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.minimumFree = .max }) { bench in
            let reply = try await bench.ask(.GET, "/ready")
            #expect(reply.status == 503 && checks(reply) == ["catalog": "ok", "disk": "failed", "s3": "off"])
            #expect(reply.json["status"] as? String == "not ready")
            #expect(!String(decoding: reply.body, as: UTF8.self).contains(bench.directory))
            try ServiceBench.query(
                "DROP TABLE elder_backup_meta", on: bench.directory + "/backups/catalog.sqlite")
            let end = ContinuousClock.now + .seconds(20)
            var last: [String: String] = [:]
            while ContinuousClock.now < end, last["catalog"] != "failed" {
                last = checks(try await bench.ask(.GET, "/ready"))
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(last["catalog"] == "failed")
        }
    }

    @Test("A store that does not answer is given up soon, and asked once, however many ask")
    func store() async throws {
        try await LoopbackServer.serve({ _ in nil }) { server in
            var primary = StoreSettings(name: "s3", bucket: "bucket")
            primary.endpoint = server.origin
            primary.keys = StoreSettings.Keys(accessKey: "a", secretKey: Secret("b"))
            let remote = RemoteSettings(isEnabled: true, primary: primary)
            try await ServiceBench.with(remote: remote) { bench in
                let probe = ReadinessProbe(
                    bench.engine, minimumFree: 0, localAge: .zero, storeAge: .seconds(30),
                    storeLimit: .milliseconds(500))
                let start = ContinuousClock.now
                let reports = await withTaskGroup(of: ReadinessReport.self) { group in
                    for _ in 0..<50 { group.addTask { await probe.report() } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(reports.count == 50 && reports.allSatisfy { $0.s3 == .failed && !$0.isReady })
                #expect(ContinuousClock.now - start < .seconds(10))
                let asked = server.requests.count
                #expect((1...3).contains(asked), "\(asked)")
                _ = await probe.report()
                #expect(server.requests.count == asked)
            }
        }
    }

    @Test(
        "A store that has the bucket is well, and one that has not is not", arguments: [(200, "ok"), (404, "failed")])
    func bucket(_ status: Int, _ expected: String) async throws {
        try await LoopbackServer.serve({ _ in LoopbackServer.Answer(status) }) { server in
            var primary = StoreSettings(name: "s3", bucket: "bucket")
            primary.endpoint = server.origin
            primary.keys = StoreSettings.Keys(accessKey: "a", secretKey: Secret("b"))
            try await ServiceBench.with(remote: RemoteSettings(isEnabled: true, primary: primary)) { bench in
                let reply = try await bench.ask(.GET, "/ready")
                #expect(checks(reply)["s3"] == expected && reply.status == (status == 200 ? 200 : 503))
            }
        }
    }
}
