import BackupCore
import BackupEngine
import Foundation
import S3Client
import Testing

/// Copies on further stores, and a catalog that comes back from a store.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct ReplicaTests {
    @Test("Each replica has a state of its own, and is brought level")
    func replicas() async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: 5)) { scene in
            let near = scene.anotherBucket()
            let far = scene.anotherBucket(on: .moto)
            func engine(reachable: Bool) async throws -> BackupEngine {
                try await scene.engine {
                    var second = try TestServer.moto.store("replica-2", bucket: far)
                    if !reachable { second.endpoint = "http://127.0.0.1:1" }
                    $0.replicas = [try TestServer.rgw.store("replica-1", bucket: near), second]
                }
            }
            let response = try await engine(reachable: false).backUp()
            #expect(response.s3Uploaded && !response.isCopied)
            let reports = try #require(response.replicas)
            #expect(reports.map(\.store) == ["replica-1", "replica-2"] && reports.map(\.uploaded) == [true, false])
            #expect(try await scene.keys(in: near).count == 2)
            let level = try await engine(reachable: true)
            #expect(try await level.replicate().copies.map(\.store) == ["replica-2"])
            #expect(try await level.replicate().copies.isEmpty)
            #expect(try await level.list().first?.remote.presentCopies == 3)
            #expect(try await level.verify([], all: true, remote: true).verified == 3)
            // The primary store's is gone, the local file too: a replica serves.
            try FileManager.default.removeItem(atPath: response.filePath)
            for key in try await scene.keys() { try await scene.client.deleteObject(S3Object(scene.bucket, key)) }
            let path = scene.directory + "/restored"
            let restored = try await level.restore(
                RestoreRequest(backup: BackupReference("1"), target: .sqlite(path: path)))
            #expect(restored.source == "replica-1" && restored.sourceReason?.contains("s3:") == true)
            // And from there the primary store's is made again, without a local file.
            #expect(try await level.uploadMissing().success)
            #expect(try await level.verify([BackupReference("1")], remote: true).verified == 3)
            _ = try await level.delete(BackupReference("1"))
            #expect(try await scene.keys().isEmpty)
            #expect(try await scene.keys(in: near).isEmpty)
        }
    }

    @Test("Without a replica there is nothing to replicate to")
    func noReplica() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine()
            let error = await failure { _ = try await engine.replicate() }
            #expect(error.code == .configuration && error.message.contains("BACKUP_S3_REPLICA_1_BUCKET"))
        }
    }

    @Test("A catalog that was lost comes back from the store", arguments: TestServer.allCases)
    func rebuild(_ server: TestServer) async throws {
        try await Scene.with(server) { scene in
            let engine = try await scene.engine()
            for _ in 0..<3 { _ = try await engine.backUp() }
            let before = try await engine.list()
            let job = try await engine.job(JobReference("1"))
            // A second installation that was never here, with nothing in its own catalog.
            let other = try await scene.engine(
                RemoteSettings(isEnabled: true, primary: try server.store(bucket: scene.bucket)),
                directory: scene.directory + "/other")
            let response = try await other.rebuildCatalogFromStore()
            #expect(response.adopted == 3 && response.known == 0 && response.skipped.isEmpty, "\(response)")
            #expect(response.warnings.first?.contains("were taken over") == true)
            let after = try await other.list()
            #expect(Set(after.map(\.sha256)) == Set(before.map(\.sha256)))
            #expect(Set(after.map(\.startedAt)) == Set(before.map(\.startedAt)))
            #expect(try await other.job(JobReference("1")).uuid == job.uuid)
            try await scene.expectRestores(other, after[0].filename, from: "s3")
            let again = try await other.rebuildCatalogFromStore()
            #expect(again.adopted == 0 && again.known == 3)
            _ = try await other.delete(BackupReference(after[0].filename))
            #expect(try await scene.keys().count == 4)
        }
    }

    @Test("What another installation has in the same place is only taken over where it is named")
    func twoInstallations() async throws {
        try await Scene.with(.rgw) { scene in
            let store = RemoteSettings(isEnabled: true, primary: try TestServer.rgw.store(bucket: scene.bucket))
            let first = try await scene.engine(store)
            let second = try await scene.engine(store, directory: scene.directory + "/second")
            let mine = try await first.backUp()
            var change = BackupJobChange()
            change.name = "other"
            _ = try await second.createJob(change)
            _ = try await second.createJob(
                {
                    var next = change; next.name = "next"; return next
                }())
            let theirs = try await second.backUp { $0.job = JobReference("next") }
            #expect(mine.s3Uploaded && theirs.s3Uploaded)
            let response = try await first.rebuildCatalogFromStore()
            #expect(response.known == 1 && response.adopted == 0 && response.skipped.count == 1)
            let reason = try #require(response.skipped.first)
            let uuid = try #require(
                reason.split(separator: " ").first { UUID(uuidString: String($0.dropLast())) != nil })
            let taken = try await first.rebuildCatalogFromStore(installation: String(uuid.dropLast()))
            #expect(taken.adopted == 1 && taken.warnings.count == 1)
            try await scene.expectRestores(first, theirs.filename, from: "s3")
            // Neither prunes nor deletes what is not its own.
            #expect(try await second.list().count == 1)
        }
    }

    @Test("What Elder wrote down is read, and deleted only once it was taken over")
    func elder() async throws {
        try await Scene.with(.rgw) { scene in
            let plain = try await scene.engine(nil)
            let response = try await plain.backUp()
            let key = "elder/backups/" + response.filename
            try await scene.client.createBucket(scene.bucket)
            try await scene.client.putObject(
                S3Object(scene.bucket, key), .file(FileSlice(path: response.filePath, length: response.fileSize)))
            let url = "\(try TestServer.rgw.address)/\(scene.bucket)/\(key)"
            let catalog = scene.backups + "/catalog.sqlite"
            try Scene.query("UPDATE backups SET s3_url = '\(url)', s3_key = '\(key)', sha256 = NULL", on: catalog)
            let engine = try await scene.engine { $0.primary.prefix = "elsewhere/" }
            try FileManager.default.removeItem(atPath: response.filePath)
            try await scene.expectRestores(engine, "1", from: "s3")
            let error = await failure { _ = try await engine.delete(BackupReference("1")) }
            #expect(error.description.contains("catalog rebuild --from-s3"), "\(error)")
            #expect(try await scene.keys() == [key])
            let home = try await scene.engine()
            #expect(try await home.rebuildCatalogFromStore().known == 1)
            _ = try await home.delete(BackupReference("1"))
            #expect(try await scene.keys().isEmpty)
        }
    }
}
