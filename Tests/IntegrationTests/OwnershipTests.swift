import BackupCore
import BackupEngine
import Foundation
import S3Client
import Testing

/// Nothing is replaced or deleted that is not this installation's.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct OwnershipTests {
    static let others: [[String: String]] = [
        [:], ["installation": "0b5f7f1c-0000-4000-8000-000000000001", "sha256": "00"],
    ]

    @Test("An object of someone else under the key is not replaced", arguments: [TestServer.rgw, .rclone], others)
    func neverReplaces(_ server: TestServer, _ metadata: [String: String]) async throws {
        try await Scene.with(server) { scene in
            let response = try await scene.engine(nil).backUp()
            let key = "elder/backups/" + response.filename
            try await scene.put("theirs", key, metadata: metadata)
            for provider in [nil, "ceph", "generic"] {
                let engine = try await scene.engine { $0.primary.provider = provider }
                let report = try #require(try await engine.upload(BackupReference("1")).copies.first)
                #expect(!report.uploaded && report.error?.contains("nothing was replaced") == true, "\(report)")
                #expect(try await scene.content(key) == "theirs")
            }
            // Nor is it deleted with the backup, whose upload never came about.
            _ = try await scene.engine().delete(BackupReference("1"))
            #expect(try await scene.content(key) == "theirs")
        }
    }

    @Test("A manifest of someone else is not replaced either")
    func manifest() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine()
            let response = try await scene.engine(nil).backUp()
            let key = "elder/backups/" + response.filename + ".manifest.json"
            try await scene.put("theirs", key)
            let report = try #require(try await engine.upload(BackupReference("1")).copies.first)
            #expect(!report.uploaded && report.error?.contains("nothing was replaced") == true)
            #expect(try await scene.content(key) == "theirs")
        }
    }

    @Test("The very archive that an earlier try has sent counts as sent once it is read back")
    func alreadyThere() async throws {
        try await Scene.with(.rgw) { scene in
            let response = try await scene.engine().backUp()
            try forget(scene)
            let engine = try await scene.engine { $0.primary.provider = "ceph" }
            let report = try #require(try await engine.upload(BackupReference("1")).copies.first)
            #expect(report.uploaded && report.proof == .readBack)
            // What is there and is not what it says it is is not believed.
            let object = S3Object(scene.bucket, "elder/backups/" + response.filename)
            let head = try await scene.client.headObject(object)
            var options = PutOptions()
            options.metadata = head.metadata
            try await scene.client.putObject(object, .bytes(Array("short".utf8)), options: options)
            try forget(scene)
            let again = try #require(try await engine.upload(BackupReference("1")).copies.first)
            #expect(!again.uploaded && again.error?.contains("is not what was sent") == true)
            #expect(try await engine.uploadMissing().success)
            #expect(try await scene.client.headObject(object).size == response.fileSize)
        }
    }

    private func forget(_ scene: Scene) throws {
        try Scene.query(
            "DELETE FROM backup_copies; UPDATE backups SET s3_url = NULL, s3_key = NULL",
            on: scene.backups + "/catalog.sqlite")
    }

    @Test("A copy that lost its mark stays, and so does the record")
    func foreignMark() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            let key = "elder/backups/" + response.filename
            try await scene.put("replaced by another", key, metadata: ["installation": "another"])
            let error = await failure { _ = try await engine.delete(BackupReference("1")) }
            #expect(error.code == .remote && error.description.contains("does not carry this installation's mark"))
            #expect(try await scene.keys().count == 2 && scene.archives.count == 1)
            #expect(try await engine.list().first?.remote.isBeingDeleted == false)
            let pruned = try await prune(engine, scene)
            #expect(pruned.failed == 1 && pruned.deleted == 0)
            #expect(pruned.backups.first { $0.backupID == 1 }?.reason.contains("could not be deleted") == true)
        }
    }

    /// Makes the first backup old, adds two, and prunes.
    private func prune(_ engine: BackupEngine, _ scene: Scene) async throws -> PruneResponse {
        let catalog = scene.backups + "/catalog.sqlite"
        try Scene.query("UPDATE backups SET started_at = '2020-01-01 00:00:00' WHERE id = 1", on: catalog)
        for id in 2...3 {
            _ = try await engine.backUp()
            try Scene.query("UPDATE backups SET started_at = '2024-06-0\(id) 00:00:00' WHERE id = \(id)", on: catalog)
        }
        return try await engine.prune()
    }

    @Test("Retention takes both copies of what expired")
    func retention() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine()
            _ = try await engine.backUp()
            let response = try await engine.backUp()
            let catalog = scene.backups + "/catalog.sqlite"
            try Scene.query("UPDATE backups SET started_at = '2024-01-01 00:00:00' WHERE id = 1", on: catalog)
            try Scene.query("UPDATE backups SET started_at = '2024-02-20 00:00:00' WHERE id = 2", on: catalog)
            let dry = try await engine.prune(dryRun: true)
            #expect(dry.deleted == 0)
            _ = try await scene.engine(nil).backUp()
            try Scene.query("UPDATE backups SET started_at = '2024-02-21 00:00:00' WHERE id = 3", on: catalog)
            // Without the store's settings nothing that has a copy can be deleted.
            let blind = try await scene.engine(nil).prune()
            #expect(blind.deleted == 0 && blind.failed == 1, "\(blind)")
            let pruned = try await engine.prune()
            #expect(pruned.deleted == 1 && pruned.failed == 0, "\(pruned)")
            let key = "elder/backups/" + response.filename
            #expect(try await scene.keys() == [key, key + ".manifest.json"])
            #expect(try await engine.list().map(\.id) == [3, 2])
        }
    }

    @Test("A deletion that the store cuts off keeps the record and goes on with the next run")
    func deletionGoesOn() async throws {
        try await Scene.with(.rgw) { scene in
            let far = scene.anotherBucket(on: .rclone)
            func engine(_ reachable: Bool) async throws -> BackupEngine {
                try await scene.engine {
                    var replica = try TestServer.rclone.store("replica-1", bucket: far)
                    if !reachable { replica.keys?.secretKey = Secret("wrong") }
                    $0.replicas = [replica]
                }
            }
            #expect(try await engine(true).backUp().isCopied)
            let cut = try await engine(false)
            let error = await failure { _ = try await cut.delete(BackupReference("1")) }
            #expect(error.code == .remote && error.description.contains("replica-1"), "\(error)")
            #expect(try await scene.keys().count == 2 && scene.archives.count == 1)
            // As after a crash in the middle: the intention is in the catalog.
            try Scene.query("UPDATE backup_copies SET state = 'deleting'", on: scene.backups + "/catalog.sqlite")
            #expect(try await cut.list().first?.remote.isBeingDeleted == true)
            let warned = try await cut.backUp { $0.uploads = false }
            #expect(warned.warnings.contains { $0.contains("backup 1 has expired and could not be deleted") })
            let next = try await engine(true).backUp { $0.uploads = false }
            #expect(next.warnings.isEmpty)
            #expect(try await scene.keys().isEmpty)
            #expect(try await engine(true).list().map(\.id) == [3, 2])
        }
    }

    @Test("On a bucket with versions the version that was sent is deleted, and nothing else")
    func versions() async throws {
        try await Scene.with(.rgw) { scene in
            try await scene.client.createBucket(scene.bucket)
            try await scene.client.setVersioning(of: scene.bucket, enabled: true)
            let engine = try await scene.engine()
            let response = try await engine.backUp()
            let copy = try #require(try await engine.show(BackupReference("1")).copies.first)
            #expect(copy.versionID != nil && copy.manifestVersionID != nil)
            // A plain delete hides the object; the version is still there, and still found.
            try await scene.client.deleteObject(S3Object(scene.bucket, "elder/backups/" + response.filename))
            try FileManager.default.removeItem(atPath: response.filePath)
            try await scene.expectRestores(engine, "1", from: "s3")
            _ = try await engine.delete(BackupReference("1"))
            let left = try await scene.client.listObjectVersions(in: scene.bucket)
            #expect(left.filter { !$0.isDeleteMarker } == [])
        }
    }

    @Test("An object lock is respected, and said")
    func objectLock() async throws {
        try await Scene.with(.rgw) { scene in
            let engine = try await scene.engine { $0.primary.objectLock = .init(mode: .governance, days: 1) }
            let response = try await engine.backUp()
            #expect(response.s3Uploaded, "\(response.s3Error ?? "")")
            let record = try #require(try await engine.list().first)
            let end = try #require(record.remote.lockedUntil)
            #expect(end > Timestamp.now() && end < Timestamp.now().adding(days: 2))
            let manifest = S3Object(scene.bucket, "elder/backups/" + response.filename + ".manifest.json")
            #expect(try await scene.client.headObject(manifest).retention?.mode == .governance)
            // Also where the catalog has forgotten it.
            for forgets in [false, true] {
                if forgets {
                    try Scene.query(
                        "UPDATE backup_copies SET locked_until = NULL", on: scene.backups + "/catalog.sqlite")
                }
                let error = await failure { _ = try await engine.delete(BackupReference("1")) }
                #expect(
                    error.code == .retained && error.message.contains("kept until \(end.sql.prefix(19))"), "\(error)")
                #expect(error.message.hasSuffix("object lock"))
                #expect(try await scene.keys().count == 2 && scene.archives.count == 1)
                #expect(try await engine.list().first?.remote.s3State == .present)
            }
            let pruned = try await prune(engine, scene)
            #expect(pruned.deleted == 0 && pruned.failed == 0)
            #expect(pruned.backups.first { $0.backupID == 1 }?.reason.hasPrefix("kept until") == true)
        }
    }
}
