import BackupCore
import BackupEngine
import Foundation
import S3Client
import Testing

/// Processes that die while they work on a store.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice), .serialized)
struct CrashTests {
    static let uploadSteps: [ProgressEvent.Step] = [
        .backupCompleted, .uploadStarted, .uploadBegan, .uploadFinished, .uploadRecorded,
    ]

    @Test("Killed at any step of an upload, the next run has the copy in place", arguments: uploadSteps)
    func upload(_ step: ProgressEvent.Step) async throws {
        try await Scene.with(.rgw, sql: Scene.schema + Scene.bulky(tables: 5)) { scene in
            let store = try TestServer.rgw.store(bucket: scene.bucket)
            try await scene.client.createBucket(scene.bucket)
            let ending = try Harness.run(
                ["backup", scene.backups, scene.source, step.rawValue, "1"], store: store)
            #expect(ending == .killed)
            let engine = try await scene.engine()
            let record = try #require(try await engine.list().first)
            #expect(record.status == .completed)
            #expect(try await engine.verify([BackupReference("1")]).backups.first?.source == "local")
            #expect(try await engine.uploadMissing().success)
            #expect(try await engine.list().first?.remote.s3State == .present)
            #expect(try await engine.verify([BackupReference("1")], remote: true).ok)
            #expect(try await scene.keys().count == 2)
            #expect(try await scene.client.listMultipartUploads(in: scene.bucket).isEmpty)
        }
    }

    @Test(
        "Killed at any step of a deletion, the next run ends it",
        arguments: [ProgressEvent.Step.deletionRecorded, .copyDeleted])
    func deletion(_ step: ProgressEvent.Step) async throws {
        try await Scene.with(.rgw) { scene in
            let store = try TestServer.rgw.store(bucket: scene.bucket)
            let engine = try await scene.engine()
            for _ in 0..<2 { #expect(try await engine.backUp().s3Uploaded) }
            let ending = try Harness.run(["delete", scene.backups, "1", step.rawValue, "1"], store: store)
            #expect(ending == .killed)
            // Whatever is gone, what is left is good, and known.
            #expect(try await engine.verify([BackupReference("1")]).ok)
            if step == .deletionRecorded {
                #expect(try await engine.list().last?.remote.isBeingDeleted == true)
                #expect(try await engine.prune().deleted == 1)
            } else {
                _ = try await engine.delete(BackupReference("1"))
            }
            #expect(try await engine.list().map(\.id) == [2])
            #expect(try await scene.keys().count == 2)
            #expect(scene.archives.count == 1)
        }
    }
}
