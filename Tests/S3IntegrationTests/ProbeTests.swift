import NIOCore
import NIOPosix
import NetworkTestSupport
import S3Client
import Testing

extension Integration {
    /// The steps of a probe that a setting of the store itself cannot break.
    @Suite struct ProbeTests {
        private func failure(_ configuration: S3Configuration, _ bucket: String) async throws -> ProbeFinding? {
            let probe = S3Probe(
                configuration, bucket: bucket, prefix: "probe/", mayCreateBucket: false, put: PutOptions())
            let findings = try await probe.run()
            #expect(findings.map(\.step) == ProbeStep.allCases)
            return findings.first { $0.outcome == .fail }
        }

        @Test("A clock that is an hour off is found", arguments: [-3_600, 3_600])
        func clock(_ seconds: Int64) async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                var configuration = try await TestStore.rgw.configuration()
                let right = configuration.clock
                configuration.clock = { right() + seconds }
                let found = try #require(try await failure(configuration, bucket.name))
                #expect(found.step == .clock)
                #expect(found.error?.code == "RequestTimeTooSkewed")
            }
        }

        @Test("A web page is no store")
        func webPage() async throws {
            try await LoopbackServer.serve({ _ in .init(200, "<html><body>Welcome</body></html>") }) { server in
                let configuration = try TestStore.rgw.configuration(endpoint: server.origin)
                let found = try #require(try await failure(configuration, "bucket"))
                #expect(found.step == .clock)
                #expect(found.detail.contains("web page"))
            }
        }

        @Test("A port that takes connections and never speaks TLS does not hold the probe")
        func silence() async throws {
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(listener.localAddress?.port)
            var configuration = try TestStore.rgw.configuration(endpoint: "https://127.0.0.1:\(port)")
            configuration.connectTimeout = 1
            let found = try #require(try await failure(configuration, "bucket"))
            #expect(found.step == .tls)
            #expect(found.detail.contains("TLS handshake"))
            try await listener.close().get()
        }

        @Test(
            "A bucket without the lock that is asked for is found; one that is made gets it", arguments: [false, true])
        func lock(_ isMade: Bool) async throws {
            var put = PutOptions()
            put.lock = ObjectRetention(mode: .governance, until: 4_102_444_800)
            let configuration = try await TestStore.rgw.configuration()
            let name = TestBucket.freshName()
            try await cleaned(name, on: .rgw) {
                if !isMade { try await withClient(configuration) { try await $0.createBucket(name) } }
                let probe = S3Probe(configuration, bucket: name, prefix: "", mayCreateBucket: true, put: put)
                let failed = try await probe.run().filter { $0.outcome == .fail }
                #expect(failed.map(\.step) == (isMade ? [] : [.objectLock]))
            }
        }

        @Test("An unknown certificate is found")
        func certificate() async throws {
            var configuration = try await TestStore.rgwTLS.configuration()
            configuration.certificateAuthorityFile = nil
            let found = try #require(try await failure(configuration, "bucket"))
            #expect(found.step == .tls)
            #expect(found.detail.contains("AWS_CA_BUNDLE"))
        }

        @Test("A read that comes back changed is found")
        func corruption() async throws {
            try await withFaults { bucket, proxy async throws in
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "GetObject", "first": 1},
                          "action": {"do": "corrupt", "where": "response", "offset": 3, "xor": 1}}]
                        """)
                let found = try #require(try await failure(bucket.client.configuration, bucket.name))
                #expect(found.step == .readBack)
            }
        }
    }
}
