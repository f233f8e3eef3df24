import BackupCore
import BackupEngine
import Foundation
import Logging
import S3Client
import Testing

/// `s3 check`: the right line fails.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct StoreCheckTests {
    private func check(_ store: StoreSettings) async throws -> StoreCheckResponse {
        try await BackupEngine.checkStore(
            "s3", of: RemoteSettings(isEnabled: true, primary: store), logger: Logger(label: "test"))
    }

    @Test("A store that works passes, and nothing of the check stays", arguments: TestServer.allCases)
    func ready(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let response = try await check(try server.store(bucket: scene.bucket))
            #expect(response.ok, "\(response.steps.filter { $0.outcome == "fail" })")
            #expect(!response.steps.contains { $0.outcome == "skipped" })
            var objects = scene.client.listObjects(in: scene.bucket).makeAsyncIterator()
            #expect(try await objects.next() == nil)
        }
    }

    /// A way to break a configuration, and the step that finds it.
    enum Fault: String, CaseIterable, CustomTestStringConvertible {
        case unknownName = "name resolution"
        case closedPort = "connection"
        case wrongScheme = "TLS"
        case wrongSecret = "signature"
        case wrongKey = "signature: InvalidAccessKeyId"
        case missingBucket = "bucket"
        case noRightToCreate = "bucket: AccessDenied"
        case refusedClass = "write"
        /// Ceph without a key store of its own takes the header and does nothing.
        case ignoredEncryption = "encryption"

        var testDescription: String { "\(self)" }
    }

    @Test("What is wrong is found by the step that it concerns", arguments: Fault.allCases)
    func broken(_ fault: Fault) async throws {
        try await Scene.with(.rgw) { scene in
            var store = try TestServer.rgw.store(bucket: scene.bucket)
            try spoil(&store, fault)
            let response = try await check(store)
            let failed = try #require(response.steps.first { $0.outcome == "fail" })
            let expected = fault.rawValue.components(separatedBy: ": ")
            #expect(failed.name == expected[0], "\(failed)")
            if expected.count > 1 { #expect(failed.code == expected[1]) }
            #expect(!response.ok)
            #expect(response.steps.filter { $0.outcome == "fail" }.count == 1)
            let speaksForItself = ["check the endpoint", "says of them: not encrypted"]
                .contains { failed.detail.contains($0) }
            #expect(failed.advice != nil || speaksForItself || fault == .wrongScheme)
            #expect(!response.steps.contains { $0.detail.contains("wrong-secret") })
        }
    }

    private func spoil(_ store: inout StoreSettings, _ fault: Fault) throws {
        let keys = try TestServer.keys
        switch fault {
        case .unknownName: store.endpoint = "http://no-such-host.invalid:9000"
        case .closedPort: store.endpoint = "http://127.0.0.1:1"
        case .wrongScheme: store.endpoint = try TestServer.rgw.address.replacing("http://", with: "https://")
        case .wrongSecret: store.keys = .init(accessKey: keys.accessKey, secretKey: Secret("wrong-secret"))
        case .wrongKey: store.keys = .init(accessKey: "AKIANOBODY", secretKey: keys.secretKey)
        case .missingBucket:
            store.bucket = "missing-" + store.bucket
            store.createsBucket = false
        case .noRightToCreate:
            store.bucket = "missing-" + store.bucket
            store.keys = .init(
                accessKey: try TestServer.value("PLAIN_ACCESS_KEY"),
                secretKey: Secret(try TestServer.value("PLAIN_SECRET_KEY")))
        case .refusedClass: store.storageClass = "NO_SUCH_CLASS"
        case .ignoredEncryption: store.encryption = .provider
        }
    }
}
