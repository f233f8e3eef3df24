import BackupCatalog
import BackupCore
import BackupEngine
import Foundation
import Logging
import NetworkTestSupport
import S3Client
import Testing

/// Jobs with stores of their own, on real servers.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct JobStoreTests {
    /// An engine whose store for all jobs is a bucket on one server, and a job whose own is on another.
    private struct Bench {
        let scene: Scene
        let engine: BackupEngine
        let bucket: String
        let job = JobReference("own")

        /// - Parameter isConfigured: whether there is a store for all jobs.
        init(_ scene: Scene, isConfigured: Bool = true) async throws {
            self.scene = scene
            engine = isConfigured ? try await scene.engine() : try await scene.engine(nil)
            bucket = scene.anotherBucket(on: .rclone)
            _ = try await engine.createJob(try change(bucket))
        }

        func change(_ bucket: String, secret: String? = nil) throws -> BackupJobChange {
            let keys = try TestServer.keys
            var change = BackupJobChange()
            change.name = "own"
            change.store.choice = .on
            change.store.endpoint = try TestServer.rclone.address
            change.store.bucket = bucket
            change.store.prefix = "jobs/own/"
            change.store.accessKey = keys.accessKey
            change.store.secretKey = secret.map { Secret($0) } ?? keys.secretKey
            return change
        }

        func backUp() async throws -> BackupResponse { try await engine.backUp { $0.job = job } }

        /// What lies in the job's own bucket.
        func keys(_ name: String? = nil) async throws -> [String] {
            let client = try TestServer.rclone.client()
            var keys: [String] = []
            do {
                for try await object in client.listObjects(in: name ?? bucket) { keys.append(object.key) }
            } catch let error as S3Error where error.code == "NoSuchBucket" {}
            await client.shutdown()
            return keys
        }

        func reference(_ response: BackupResponse) -> BackupReference { BackupReference("\(response.backupID)") }

        func loseLocal(_ response: BackupResponse) throws {
            try FileManager.default.removeItem(atPath: response.filePath)
        }
    }

    @Test("A job's backup goes to its own store, and every verb finds it there", arguments: [true, false])
    func life(isConfigured: Bool) async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene, isConfigured: isConfigured)
            let made = try await bench.backUp()
            #expect(made.s3Uploaded, "\(made.s3Error ?? "")")
            let server = try TestServer.rclone.address
            #expect(made.s3URL == "\(server)/\(bench.bucket)/jobs/own/\(made.filename)")
            let key = "jobs/own/" + made.filename
            #expect(try await Set(bench.keys()) == [key, key + ".manifest.json"])
            #expect(try await scene.keys().isEmpty)
            let reference = bench.reference(made)
            let verified = try await bench.engine.verify([reference], remote: true)
            #expect(verified.ok && verified.backups.first?.source == "s3")
            try bench.loseLocal(made)
            let target = scene.directory + "/restored.sqlite"
            let restored = try await bench.engine.restore(
                RestoreRequest(backup: reference, target: .sqlite(path: target)))
            #expect(restored.source == "s3" && restored.totalRecords == 4)
            #expect(try await bench.engine.openArchive(reference).source == "s3")
            _ = try await bench.engine.delete(reference)
            #expect(try await bench.keys().isEmpty)
        }
    }

    @Test("Jobs of one engine at one time each use their own store")
    func sideBySide() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            let second = scene.anotherBucket(on: .rclone)
            var other = try bench.change(second)
            other.name = "second"
            _ = try await bench.engine.createJob(other)
            let engine = bench.engine
            let responses = try await withThrowingTaskGroup(of: (String?, BackupResponse).self) { group in
                for name in ["own", "second", nil] {
                    group.addTask { (name, try await engine.backUp { $0.job = name.map { JobReference($0) } }) }
                }
                return try await group.reduce(into: [(String?, BackupResponse)]()) { $0.append($1) }
            }
            for (name, response) in responses {
                #expect(response.s3Uploaded, "\(name ?? "default"): \(response.s3Error ?? "")")
                let bucket = name == "own" ? bench.bucket : name == "second" ? second : scene.bucket
                #expect(response.s3URL?.contains("/\(bucket)/") == true)
            }
            #expect(try await bench.keys().count == 2)
            #expect(try await bench.keys(second).count == 2)
            #expect(try await scene.keys().count == 2)
        }
    }

    @Test("A job may switch copies off, or leave them as configured; what was not copied can be later")
    func choice() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            var change = BackupJobChange()
            change.store.choice = .off
            _ = try await bench.engine.updateJob(bench.job, change)
            let made = try await bench.backUp()
            #expect(!made.s3Uploaded && made.s3Error == nil)
            // Off is off for all, too.
            #expect(try await bench.engine.uploadMissing().copies.isEmpty)
            #expect(try await bench.keys().isEmpty)
            change.store.choice = .configured
            _ = try await bench.engine.updateJob(bench.job, change)
            let missing = try await bench.engine.uploadMissing()
            #expect(missing.success && missing.uploaded == 1)
            #expect(try await bench.keys().count == 2)
            #expect(try await scene.keys().isEmpty)
        }
    }

    @Test("Retention deletes where the copies lie, and keeps to them")
    func retention() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            var change = BackupJobChange()
            change.retention.days = 0
            change.retention.last = 1
            _ = try await bench.engine.updateJob(bench.job, change)
            let first = try await bench.backUp()
            let second = try await bench.backUp()
            #expect(second.warnings.isEmpty)
            #expect(try await !bench.keys().contains { $0.contains(first.filename) })
            #expect(try await bench.keys().contains { $0.contains(second.filename) })
        }
    }

    @Test("A copy stays where it was sent: the store that changed since is not asked for it")
    func movedStore() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            let made = try await bench.backUp()
            try bench.loseLocal(made)
            // Another bucket of the same server: the copy says which it is.
            let second = scene.anotherBucket(on: .rclone)
            var change = BackupJobChange()
            change.store.bucket = second
            _ = try await bench.engine.updateJob(bench.job, change)
            #expect(try await bench.engine.openArchive(bench.reference(made)).source == "s3")
            let next = try await bench.backUp()
            #expect(try await bench.keys(second).contains { $0.contains(next.filename) })

            // Another server, for which nobody has the old one's keys.
            change.store.endpoint = try TestServer.moto.address
            _ = try await bench.engine.updateJob(bench.job, change)
            let lost = await failure { _ = try await bench.engine.openArchive(bench.reference(made)) }
            #expect(lost.message.contains("no credentials"))
            #expect(try lost.message.contains(TestServer.rclone.address))
            #expect(lost.message.contains("job 1 \"own\""), "\(lost)")
            let kept = await failure { _ = try await bench.engine.delete(bench.reference(made)) }
            #expect(kept.code == .configuration, "\(kept)")
            #expect(try await bench.keys().count == 2)

            // The store configured for all may be it.
            var remote = RemoteSettings(isEnabled: false, primary: try TestServer.rclone.store(bucket: bench.bucket))
            remote.primary.prefix = "elsewhere/"
            let helper = try await scene.engine(remote)
            #expect(try await helper.openArchive(bench.reference(made)).source == "s3")
        }
    }

    @Test("The copies of a job that was deleted are found by their address, or not at all")
    func deletedJob() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            let made = try await bench.backUp()
            try bench.loseLocal(made)
            _ = try await bench.engine.deleteJob(bench.job)
            let lost = await failure { _ = try await bench.engine.openArchive(bench.reference(made)) }
            #expect(lost.message.contains("deleted") && lost.message.contains("BACKUP_S3_ENDPOINT"), "\(lost)")
            let remote = RemoteSettings(isEnabled: false, primary: try TestServer.rclone.store(bucket: bench.bucket))
            let helper = try await scene.engine(remote)
            #expect(try await helper.openArchive(bench.reference(made)).source == "s3")
            _ = try await helper.delete(bench.reference(made))
            #expect(try await bench.keys().isEmpty)
        }
    }

    @Test("A key that cannot be read fails its own job's copies, and no others")
    func unreadableKey() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            try FileManager.default.removeItem(atPath: scene.backups + "/secret.key")
            let made = try await bench.backUp()
            #expect(!made.s3Uploaded && made.s3Error?.contains("job 1 \"own\"") == true, "\(made.s3Error ?? "")")
            let other = try await bench.engine.backUp()
            #expect(other.s3Uploaded)
            let missing = try await bench.engine.uploadMissing()
            #expect(missing.failed == 1 && missing.copies.first?.error?.contains("another key") == true)
            let all = try await bench.engine.verify([], all: true)
            #expect(all.ok && all.verified == 2)
            // Set anew, all is well.
            _ = try await bench.engine.updateJob(bench.job, try bench.change(bench.bucket))
            #expect(try await bench.engine.uploadMissing().uploaded == 1)
        }
    }

    @Test("A wrong secret key is told of by the job's own name for it")
    func wrongSecret() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            _ = try await bench.engine.updateJob(bench.job, try bench.change(bench.bucket, secret: "PLANTEDwrong"))
            let made = try await bench.backUp()
            #expect(!made.s3Uploaded)
            #expect(made.s3Error?.contains("job 1's S3_SECRET_KEY") == true, "\(made.s3Error ?? "")")
            #expect(made.s3Error?.contains("PLANTED") == false)
            let check = try await bench.engine.checkStore("s3", of: bench.job)
            #expect(!check.ok)
            _ = try await bench.engine.updateJob(bench.job, try bench.change(bench.bucket))
            let good = try await bench.engine.checkStore("s3", of: bench.job)
            #expect(good.ok && good.bucket == bench.bucket, "\(good)")
        }
    }

    @Test("Replicas get a job's backups from its own store, and a lost catalog finds them there again")
    func replicasAndRebuild() async throws {
        try await Scene.with(.moto) { scene in
            let replica = scene.anotherBucket()
            let remote = RemoteSettings(
                isEnabled: true, primary: try scene.server.store(bucket: scene.bucket),
                replicas: [try scene.server.store("replica-1", bucket: replica)])
            let bench = try await Bench(scene)
            let engine = try await scene.engine(remote)
            let made = try await bench.backUp()
            try bench.loseLocal(made)
            let report = try await engine.replicate()
            #expect(report.success && report.uploaded == 1, "\(report)")
            #expect(try await scene.keys(in: replica).count == 2)

            let fresh = scene.directory + "/fresh"
            let rebuilt = try await scene.engine(nil, directory: fresh)
            var change = try bench.change(bench.bucket)
            change.name = "finder"
            _ = try await rebuilt.createJob(change)
            let response = try await rebuilt.rebuildCatalogFromStore()
            #expect(response.adopted == 1, "\(response)")
            let found = try #require(try await rebuilt.list().first)
            #expect(found.filename == made.filename)
        }
    }

    @Test("A redirection is not followed to where nobody allowed")
    func redirection() async throws {
        try await Scene.with(.moto) { scene in
            let bench = try await Bench(scene)
            let target = try TestServer.rclone.address
            try await LoopbackServer.serve { request in
                LoopbackServer.Answer(307, headers: [("Location", target + request.target)])
            } _: { trap in
                var change = BackupJobChange()
                change.store.endpoint = trap.origin
                _ = try await bench.engine.updateJob(bench.job, change)
                let made = try await bench.backUp()
                #expect(!made.s3Uploaded && made.s3Error != nil)
                #expect(!trap.requests.isEmpty)
            }
            #expect(try await bench.keys().isEmpty)
        }
    }
}
