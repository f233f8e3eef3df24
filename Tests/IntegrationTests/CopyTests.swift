import BackupCore
import BackupEngine
import Foundation
import S3Client
import Testing

/// What the seed promises of copies on S3, on every server.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct CopyTests {
    @Test("A backup is copied, proven and recorded, archive and manifest", arguments: TestServer.allCases)
    func copies(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            #expect(response.success && response.s3Uploaded && response.s3Error == nil && response.warnings.isEmpty)
            let key = "elder/backups/" + response.filename
            #expect(response.s3URL == "\(try server.address)/\(scene.bucket)/\(key)")
            #expect(try await scene.keys() == [key, key + ".manifest.json"])
            let record = try #require(try await engine.list().first)
            #expect(record.s3Key == key && record.s3URL == response.s3URL)
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.state == .present && copy.owner == .ours && copy.proof == .readBack)
            #expect(copy.size == record.fileSize && copy.bucket == scene.bucket && copy.attempts == 1)
            let head = try await scene.client.headObject(S3Object(scene.bucket, key))
            #expect(head.metadata["sha256"] == record.sha256 && head.size == record.fileSize)
            #expect(head.metadata["job"] == (try await engine.job(JobReference("1")).uuid))
            #expect(UUID(uuidString: head.metadata["installation"] ?? "") != nil)
        }
    }

    @Test("Restore, verify, download and show fall back to the store, and say so", arguments: TestServer.allCases)
    func fallback(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            try await scene.expectRestores(engine, "1", from: "local")
            try await scene.expectRestores(engine, "1", from: "s3") { $0.from = .s3 }
            for damages in [true, false] {
                if damages {
                    try scene.flip(response.filePath)
                } else {
                    try FileManager.default.removeItem(atPath: response.filePath)
                }
                for reference in ["1", response.filename, response.filePath] {
                    try await scene.expectRestores(engine, reference, from: "s3")
                }
                let verified = try await engine.verify([BackupReference("1")])
                let item = try #require(verified.backups.first)
                #expect(verified.ok && item.source == "s3" && item.manifest)
                #expect(item.sourceReason?.contains(damages ? "is damaged" : "is not there") == true)
                let shown = try await engine.show(BackupReference("1"))
                #expect(shown.source == "s3" && shown.archive.recordCount == 4 && shown.sourceReason != nil)
                let out = scene.directory + "/out-\(damages)"
                let download = try await engine.download(BackupReference("1"), to: out)
                #expect(download.source == "s3" && download.path == out)
                #expect(try await engine.verify([BackupReference(out)]).ok)
                #expect(try await engine.list().first?.localState == (damages ? .damaged : .missing))
                let local = await failure {
                    var request = RestoreRequest(
                        backup: BackupReference("1"), target: .sqlite(path: scene.directory + "/never"))
                    request.from = .local
                    _ = try await engine.restore(request)
                }
                #expect(local.code == (damages ? .damaged : .notFound), "\(local)")
            }
            // Nothing of what was fetched stays.
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: scene.backups).filter { $0.hasPrefix(".fetch") }
                    == [])
        }
    }

    @Test("Delete takes both copies, the manifest too", arguments: TestServer.allCases)
    func delete(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let engine = try await scene.engine()
            _ = try await engine.backUp()
            _ = try await engine.delete(BackupReference("1"))
            #expect(try await scene.keys().isEmpty && scene.archives.isEmpty)
            #expect(try await engine.list().isEmpty)
        }
    }

    @Test("Without the server the backup is complete, and the next run sends it", arguments: TestServer.allCases)
    func serverDown(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let down = try await scene.engine { $0.primary.endpoint = "http://127.0.0.1:1" }
            let response = try await down.backUp()
            #expect(response.success && !response.s3Uploaded && response.s3URL == nil)
            #expect(response.s3Error?.contains("Connection refused") == true)
            let record = try #require(try await down.list().first)
            #expect(record.status == .completed && record.s3Key == nil && record.remote.s3State == .failed)
            #expect(record.remote.s3Error == response.s3Error)
            let engine = try await scene.engine()
            let next = try await engine.backUp()
            #expect(next.s3Uploaded && next.warnings.isEmpty)
            #expect(try await engine.list().map(\.remote.s3State) == [.present, .present])
            #expect(try await scene.keys().count == 4)
            #expect(try await engine.uploadMissing().copies.isEmpty)
        }
    }

    @Test("upload --missing sends what was never sent, and nothing twice")
    func missing() async throws {
        try await Scene.with(.rgw) { scene in
            let plain = try await scene.engine(nil)
            for _ in 0..<3 { _ = try await plain.backUp() }
            let engine = try await scene.engine()
            let first = try await engine.upload(BackupReference("2"))
            #expect(first.success && first.copies.map(\.backupID) == [2])
            try FileManager.default.removeItem(atPath: try #require(try await engine.list().first).filePath)
            let rest = try await engine.uploadMissing()
            #expect(rest.uploaded == 1 && rest.failed == 1 && !rest.success)
            #expect(rest.copies.map(\.backupID) == [1, 3])
            #expect(rest.copies.last?.error?.contains("is not there") == true)
            #expect(try await scene.keys().count == 4)
            #expect(try await engine.upload(BackupReference("1")).success)
            let none = await failure { _ = try await plain.upload(BackupReference("1")) }
            #expect(none.code == .configuration && none.message.contains("BACKUP_S3_BUCKET"))
        }
    }

    @Test("Switched off, nothing new is sent, and what is there can be read and deleted")
    func disabled() async throws {
        try await Scene.with(.rgw) { scene in
            let response = try await scene.engine().backUp()
            let engine = try await scene.engine { $0.isEnabled = false }
            let second = try await engine.backUp()
            #expect(!second.s3Uploaded && second.s3Error == nil && second.s3URL == nil)
            try FileManager.default.removeItem(atPath: response.filePath)
            try await scene.expectRestores(engine, "1", from: "s3")
            _ = try await engine.delete(BackupReference("1"))
            #expect(try await scene.keys().isEmpty)
            #expect(try await engine.list().map(\.id) == [2])
            // Told not to, it sends nothing either.
            let quiet = try await scene.engine().backUp { $0.uploads = false }
            #expect(!quiet.s3Uploaded && quiet.s3Error == nil)
            #expect(try await scene.keys().isEmpty)
        }
    }

    @Test("A damaged local archive is not sent; another store's copy takes its place")
    func damagedSource() async throws {
        try await Scene.with(.rgw) { scene in
            let plain = try await scene.engine(nil)
            let response = try await plain.backUp()
            try scene.flip(response.filePath)
            let engine = try await scene.engine()
            let refused = try await engine.upload(BackupReference("1"))
            #expect(refused.copies.first?.error?.contains("is damaged") == true)
            #expect(try await scene.keys().isEmpty)
            try scene.flip(response.filePath)
            #expect(try await engine.upload(BackupReference("1")).success)
            try scene.flip(response.filePath)
            let far = scene.anotherBucket(on: .moto)
            let both = try await scene.engine {
                $0.replicas = [try TestServer.moto.store("replica-1", bucket: far)]
            }
            #expect(try await both.replicate().success)
            let only = try await scene.engine {
                $0.replicas = [try TestServer.moto.store("replica-1", bucket: far)]
                $0.primary.endpoint = "http://127.0.0.1:1"
            }
            try await scene.expectRestores(only, "1", from: "replica-1")
        }
    }

    @Test("What is damaged in the store is found, said, and sent again")
    func damagedCopy() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            let key = "elder/backups/" + response.filename
            let object = S3Object(scene.bucket, key)
            let head = try await scene.client.headObject(object)
            var (_, body) = try await scene.client.getObject(object, limit: 1 << 20)
            body[body.count / 2] ^= 1
            var options = PutOptions()
            options.metadata = head.metadata
            try await scene.client.putObject(object, .bytes(body), options: options)
            #expect(try await engine.verify([BackupReference("1")]).ok)
            let remote = try await engine.verify([BackupReference("1")], remote: true)
            #expect(!remote.ok && remote.backups.first?.source == "s3")
            #expect(remote.backups.first?.error?.contains("SHA-256") == true)
            let record = try #require(try await engine.list().first)
            #expect(record.remote.s3State == .damaged && record.s3Key == nil)
            #expect(try await engine.uploadMissing().success)
            #expect(try await engine.verify([], all: true, remote: true).ok)
            try await scene.client.deleteObject(object)
            #expect(try await engine.verify([BackupReference("1")], remote: true).ok == false)
            #expect(try await engine.list().first?.remote.s3State == .missing)
            #expect(try await engine.backUp().s3Uploaded)
            #expect(try await engine.verify([], all: true, remote: true).verified == 2)
        }
    }
}
