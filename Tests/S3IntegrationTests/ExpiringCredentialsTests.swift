import Foundation
import NetworkTestSupport
import S3Client
import Synchronization
import Testing

extension Integration {
    /// Keys from a container's endpoint that end in the middle of an upload.
    @Suite struct ExpiringCredentialsTests {
        private static func answer(_ number: Int, lasting seconds: Double) -> LoopbackServer.Answer {
            let end = Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
            return .init(
                200,
                """
                {"AccessKeyId": "AKIA\(number)", "SecretAccessKey": "secret\(number)", "Token": "token\(number)",
                 "Expiration": "\(end)"}
                """)
        }

        /// Uploads 40 MiB in eight parts with keys from an endpoint; returns how often it was asked.
        private func upload(lasting seconds: Double, rules: String) async throws -> Int {
            let count = Mutex(0)
            return try await LoopbackServer.serve({ _ in
                Self.answer(
                    count.withLock {
                        $0 += 1
                        return $0
                    }, lasting: seconds)
            }) { server in
                let environment = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.origin + "/keys"]
                try await withFaults(
                    on: .moto, configuring: { $0.credentials = CredentialsChain(environment: environment) }
                ) { bucket, proxy async throws in
                    try await proxy.set(rules: rules)
                    let folder = try Folder()
                    let file = try folder.sample(40 << 20)
                    let outcome = try await bucket.transfers { $0.concurrency = 2 }.upload(
                        file.path, to: bucket.object("a"))
                    #expect(outcome.sentParts == 8)
                    _ = try await bucket.transfers().download(bucket.object("a"), to: folder.file("b"))
                    #expect(try folder.bytes(of: "b") == file.bytes)
                }
                return server.requests.count
            }
        }

        @Test("Keys that last for seconds are renewed before they end")
        func renewed() async throws {
            let slow = #"[{"match": {"operation": "UploadPart"}, "action": {"do": "delay", "seconds": 1.5}}]"#
            #expect(try await upload(lasting: 4, rules: slow) >= 3)
        }

        @Test("Keys that the server calls expired are renewed once, and the part is sent again")
        func refused() async throws {
            let expired = """
                [{"match": {"operation": "UploadPart", "nth": 3},
                  "action": {"do": "status", "status": 403, "code": "ExpiredToken"}}]
                """
            let count = try await upload(lasting: 86_400, rules: expired)
            #expect(count == 2)
        }
    }
}
