import BackupCore
import BackupEngine
import Foundation
import S3Client
import Synchronization
import Testing

/// Large archives, parts of archives, other ways to store them.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice), .serialized)
struct TransferTests {
    @Test("A few tables are fetched without the rest")
    func selectiveRestore() async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: 6)) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            #expect(response.fileSize > 20 << 20)
            try FileManager.default.removeItem(atPath: response.filePath)
            for tables in [["users", "teams"], ["bulk3"], ["bulk0", "bulk5", "users"]] {
                let path = scene.directory + "/some-" + UUID().uuidString
                var request = RestoreRequest(backup: BackupReference("1"), target: .sqlite(path: path))
                request.tables = tables
                request.prove = true
                let restored = try await engine.restore(request)
                #expect(restored.source == "s3")
                let members = try await engine.show(BackupReference("1")).archive.tables
                    .filter { restored.restoredCounts[$0.name] != nil }.reduce(0) { $0 + ($1.compressedBytes ?? 0) }
                #expect(restored.fetchedBytes <= members + 1 << 20, "\(restored.fetchedBytes) for \(members)")
                for table in tables {
                    let sql = "SELECT * FROM \(table)"
                    #expect(try Scene.query(sql, on: path) == Scene.query(sql, on: scene.source))
                }
            }
            let shown = try await engine.show(BackupReference("1"))
            #expect(shown.archive.tables.count == 8 && shown.source == "s3")
        }
    }

    @Test("A damaged member of a table that is fetched is found")
    func damagedMember() async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: 2)) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            try scene.flip(response.filePath)
            let object = S3Object(scene.bucket, "elder/backups/" + response.filename)
            try await scene.client.putObject(
                object, .file(FileSlice(path: response.filePath, length: response.fileSize)))
            try FileManager.default.removeItem(atPath: response.filePath)
            let path = scene.directory + "/some"
            var request = RestoreRequest(backup: BackupReference("1"), target: .sqlite(path: path))
            request.tables = ["bulk0", "bulk1"]
            let error = await failure { _ = try await engine.restore(request) }
            #expect([.damaged, .remote].contains(error.code), "\(error)")
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("An upload whose process was killed goes on, and leaves nothing behind")
    func resumes() async throws {
        try await Scene.with(.rgw, sql: Scene.bulky(tables: 16)) { scene in
            let store = try TestServer.rgw.store(bucket: scene.bucket)
            try await scene.client.createBucket(scene.bucket)
            // Killed once the upload's id is known.
            let status = try Harness.run(
                ["backup", scene.backups, scene.source, "upload.parts-begun", "1"], store: store)
            #expect(status == .killed)
            let begun = try await scene.client.listMultipartUploads(in: scene.bucket)
            let upload = try #require(begun.first)
            #expect(begun.count == 1)
            // As if the first part had arrived before.
            let archive = try #require(try await scene.engine().list().first?.filePath)
            _ = try await scene.client.uploadPart(
                S3Object(scene.bucket, upload.key), uploadID: upload.uploadID, number: 1,
                .file(FileSlice(path: archive, length: 16 << 20)))
            let killed = try await scene.engine().list()
            #expect(killed.first?.status == .completed && killed.first?.remote.s3State == .uploading)
            let sent = Mutex<[Int64]>([])
            let engine = try await scene.engine(
                { _ in },
                observer: { event in
                    if case .transfer(_, let bytes, _) = event { sent.withLock { $0.append(bytes) } }
                })
            let response = try await engine.uploadMissing()
            #expect(response.success, "\(response)")
            #expect(sent.withLock { $0.first ?? 0 } == 16 << 20, "the part that was there was sent again")
            #expect(try await scene.client.listMultipartUploads(in: scene.bucket).isEmpty)
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.state == .present && copy.attempts == 2 && copy.session == nil)
            #expect(try await engine.verify([BackupReference("1")], remote: true).ok)
            #expect(sent.withLock { $0.last ?? 0 } == copy.size)
        }
    }

    @Test("A cancelled upload leaves a complete backup, and goes on with the parts that are there")
    func cancelled() async throws {
        try await Scene.with(.rgw, sql: Scene.bulky(tables: 16)) { scene in
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            let engine = try await scene.engine(
                { $0.primary.concurrency = 1 },
                observer: { event in
                    if case .transfer(_, let bytes, _) = event, bytes > 0 { continuation.yield() }
                })
            let error = await failure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await engine.backUp() }
                    for await _ in stream { break }
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            #expect(error.code == .cancelled && error.message.contains("backup 1 is complete"), "\(error)")
            let first = Mutex<Int64?>(nil)
            let next = try await scene.engine(
                { _ in },
                observer: { event in
                    if case .transfer(_, let bytes, _) = event { first.withLock { $0 = $0 ?? bytes } }
                })
            #expect(try await next.list().first?.status == .completed)
            #expect(try await next.uploadMissing().success)
            #expect(first.withLock { $0 ?? 0 } >= 16 << 20, "nothing was gone on with")
            #expect(try await scene.client.listMultipartUploads(in: scene.bucket).isEmpty)
            #expect(try await next.verify([BackupReference("1")], remote: true).ok)
        }
    }

    static let proofs: [(provider: String?, full: Bool, proof: RemoteCopy.Proof)] = [
        ("ceph", false, .etag), ("ceph", true, .readBack), (nil, false, .readBack),
    ]

    @Test("An upload is proven by what the provider guarantees, else read back", arguments: proofs, [0, 5])
    func isProven(_ example: (provider: String?, full: Bool, proof: RemoteCopy.Proof), _ bulk: Int) async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: bulk)) { scene in
            let engine = try await scene.engine {
                $0.primary.provider = example.provider
                $0.primary.verifiesFully = example.full
            }
            #expect(try await engine.backUp().s3Uploaded)
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.proof == example.proof && (copy.verifiedAt != nil) == (example.proof == .readBack))
            #expect(copy.etag?.contains("-") == (bulk > 0))
        }
    }

    @Test("With a customer's key a copy is only read with it, and still after it is switched off", arguments: [0, 5])
    func customerKey(_ bulk: Int) async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: bulk)) { scene in
            func engine(_ encryption: StoreSettings.Encryption, hasKey: Bool = true) async throws -> BackupEngine {
                try await scene.engine {
                    $0.primary.endpoint = try TestServer.value("RGW_TLS")
                    $0.primary.authorityFile = try TestServer.value("RGW_CA")
                    $0.primary.encryption = encryption
                    if hasKey {
                        $0.primary.customerKey = Secret(Data(repeating: 7, count: 32).base64EncodedString())
                    }
                }
            }
            let response = try await engine(.customerKey).backUp()
            #expect(response.s3Uploaded, "\(response.s3Error ?? "")")
            let object = S3Object(scene.bucket, "elder/backups/" + response.filename)
            await #expect(throws: S3Error.self) { try await scene.client.getObject(object, limit: 64 << 20) }
            try FileManager.default.removeItem(atPath: response.filePath)
            try await scene.expectRestores(try await engine(.none), "1", from: "s3")
            let without = try await engine(.none, hasKey: false)
            let error = await failure {
                _ = try await without.download(BackupReference("1"), to: scene.directory + "/out")
            }
            #expect(error.code == .remote, "\(error)")
            _ = try await engine(.customerKey).delete(BackupReference("1"))
            #expect(try await scene.keys().isEmpty)
        }
    }

    @Test("The provider encrypts with the key that it is told", arguments: [0, 5])
    func providersKey(_ bulk: Int) async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: bulk)) { scene in
            let keyID = try TestServer.value("RGW_KMS_KEY_ID")
            let engine = try await scene.engine {
                $0.primary.endpoint = try TestServer.value("RGW_TLS")
                $0.primary.authorityFile = try TestServer.value("RGW_CA")
                $0.primary.encryption = .kms(keyID: keyID)
            }
            let response = try await engine.backUp()
            #expect(response.s3Uploaded, "\(response.s3Error ?? "")")
            for suffix in ["", ".manifest.json"] {
                let object = S3Object(scene.bucket, "elder/backups/" + response.filename + suffix)
                #expect(try await scene.client.headObject(object).encryption == "aws:kms")
            }
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.proof == .readBack && copy.encryption == "aws:kms")
            try FileManager.default.removeItem(atPath: response.filePath)
            try await scene.expectRestores(engine, "1", from: "s3")
        }
    }

    @Test("A store that does not encrypt what it is told to encrypt has no copy, and the run says so")
    func ignoredEncryption() async throws {
        // Ceph without a key store of its own takes the header and does nothing.
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine { $0.primary.encryption = .provider }
            let response = try await engine.backUp()
            #expect(response.success && !response.s3Uploaded)
            #expect(response.s3Error?.contains("did not encrypt it as BACKUP_S3_SSE=AES256 asks") == true)
            #expect(try await scene.keys().isEmpty)
        }
        try await Scene.with(.moto) { scene in
            let engine = try await scene.engine { $0.primary.encryption = .provider }
            let response = try await engine.backUp()
            #expect(response.s3Uploaded, "\(response.s3Error ?? "")")
        }
    }

    @Test("A copy in an archive class is asked back, and waited for")
    func archiveClass() async throws {
        try await Scene.with(.moto) { scene in
            let engine = try await scene.engine {
                $0.primary.storageClass = "GLACIER"
                $0.primary.provider = "ceph"
            }
            let response = try await engine.backUp()
            #expect(response.s3Uploaded, "\(response.s3Error ?? "")")
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.storageClass == "GLACIER")
            let manifest = S3Object(scene.bucket, "elder/backups/" + response.filename + ".manifest.json")
            #expect(try await scene.client.headObject(manifest).storageClass ?? "STANDARD" == "STANDARD")
            try FileManager.default.removeItem(atPath: response.filePath)
            let error = await failure {
                _ = try await engine.download(BackupReference("1"), to: scene.directory + "/out")
            }
            #expect(error.code == .remote && error.message.contains("GLACIER"), "\(error)")
            #expect(error.message.contains("3 to 5 hours") && error.message.contains("--wait"))
            try await scene.expectRestores(engine, "1", from: "s3") { $0.waits = true }
        }
    }
}
