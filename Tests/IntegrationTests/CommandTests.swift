import BackupCore
import BackupEngine
import Foundation
import Glibc
import S3Client
import Testing

/// The program itself, configured by the variables that people set.
@Suite(.enabled(if: TestServer.areThere, TestServer.advice))
struct CommandTests {
    private struct Run {
        var status: Int32
        var output: String
        var messages: String
        var object: [String: Any]? {
            (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
        }
    }

    private func run(_ scene: Scene, _ arguments: String..., environment: [String: String] = [:]) throws -> Run {
        let keys = try TestServer.keys
        var variables = [
            "BACKUP_DIR": scene.backups, "DATABASE_URL": "sqlite:" + scene.source, "BACKUP_S3_ENABLED": "true",
            "BACKUP_S3_ENDPOINT": try scene.server.address, "BACKUP_S3_BUCKET": scene.bucket,
            "BACKUP_S3_ACCESS_KEY": keys.accessKey, "BACKUP_S3_SECRET_KEY": keys.secretKey.revealed,
        ]
        variables.merge(environment) { $1 }
        let process = Process()
        process.executableURL = Harness.products.appending(path: "elder-backup")
        process.arguments = arguments
        process.environment = variables
        process.currentDirectoryURL = URL(filePath: scene.directory)
        process.standardInput = FileHandle.nullDevice
        var files: [URL] = []
        for _ in 0..<2 {
            let file = URL(filePath: scene.directory + "/out-" + UUID().uuidString)
            try Data().write(to: file)
            files.append(file)
        }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        let texts = try files.map { try String(decoding: Data(contentsOf: $0), as: UTF8.self) }
        return Run(status: process.terminationStatus, output: texts[0], messages: texts[1])
    }

    @Test("The seed's variables, the seed's answer, and back from S3")
    func seed() async throws {
        try await Scene.with(.rgw) { scene in
            let backup = try run(scene, "backup", "--json")
            #expect(backup.status == 0 && backup.messages.isEmpty, "\(backup.messages)")
            let answer = try #require(backup.object)
            let filename = try #require(answer["filename"] as? String)
            #expect(answer["success"] as? Bool == true && answer["s3_uploaded"] as? Bool == true)
            let url = "\(try scene.server.address)/\(scene.bucket)/elder/backups/\(filename)"
            #expect(answer["s3_url"] as? String == url && answer["s3_error"] == nil)
            let list = try run(scene, "list")
            #expect(list.output.contains("S3") && list.output.contains("present"))
            try FileManager.default.removeItem(atPath: scene.backups + "/" + filename)
            let restore = try run(scene, "restore", "1", "--into", "sqlite:restored.sqlite")
            #expect(restore.status == 0 && restore.output.contains("read from the copy on s3: the local file"))
            #expect(restore.messages.contains("warning: the local file"))
            let json = try run(scene, "restore", filename, "--into", "sqlite:again.sqlite", "--json")
            #expect(json.object?["source"] as? String == "s3")
            let local = try run(scene, "restore", "1", "--into", "sqlite:never.sqlite", "--from", "local")
            #expect(local.status == 1)
            #expect(try run(scene, "restore", "1", "--into", "sqlite:x.sqlite", "--from", "tape").status == 64)
            let verify = try run(scene, "verify", "1", "--remote")
            #expect(verify.status == 0 && verify.output.contains("s3://\(scene.bucket)/"))
            let stats = try run(scene, "stats", "--json")
            #expect(stats.object?["s3_backups"] as? Int == 1)
            #expect(try run(scene, "delete", "1", "--yes").status == 0)
            #expect(try await scene.keys().isEmpty)
        }
    }

    @Test("A wrong secret is told with the provider's word, the status is 3, and the backup is complete")
    func wrongSecret() async throws {
        try await Scene.with(.rgw) { scene in
            let backup = try run(scene, "backup", "--json", environment: ["BACKUP_S3_SECRET_KEY": "hunter2"])
            #expect(backup.status == 3)
            let answer = try #require(backup.object)
            #expect(answer["success"] as? Bool == true && answer["s3_uploaded"] as? Bool == false)
            let error = try #require(answer["s3_error"] as? String)
            #expect(error.contains("SignatureDoesNotMatch") && error.contains("BACKUP_S3_SECRET_KEY"))
            #expect(!(backup.output + backup.messages).contains("hunter2"))
            #expect(backup.messages.contains("warning: no copy on S3: "))
            #expect(try run(scene, "verify", "--all").status == 0)
            let missing = try run(scene, "upload", "--missing", "--json")
            #expect(missing.status == 0 && missing.object?["uploaded"] as? Int == 1)
            #expect(try await scene.keys().count == 2)
            let none = try run(scene, "upload", "--missing")
            #expect(none.status == 0 && none.output == "0 copies in place, 0 missing\n")
        }
    }

    @Test("A key that may only put and get is enough to back up and to restore")
    func leastPrivilege() async throws {
        try await Scene.with(.rgw) { scene in
            try await scene.client.createBucket(scene.bucket)
            let policy = """
                {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["\(try TestServer.value("PLAIN_ARN"))"]},
                "Action":["s3:PutObject","s3:GetObject"],"Resource":["arn:aws:s3:::\(scene.bucket)/*"]}]}
                """
            try await scene.client.setPolicy(of: scene.bucket, json: policy)
            let keys = [
                "BACKUP_S3_ACCESS_KEY": try TestServer.value("PLAIN_ACCESS_KEY"),
                "BACKUP_S3_SECRET_KEY": try TestServer.value("PLAIN_SECRET_KEY"),
            ]
            let backup = try run(scene, "backup", "--json", environment: keys)
            #expect(backup.status == 0, "\(backup.messages)")
            let filename = try #require(backup.object?["filename"] as? String)
            try FileManager.default.removeItem(atPath: scene.backups + "/" + filename)
            let restore = try run(scene, "restore", "1", "--into", "sqlite:r.sqlite", "--json", environment: keys)
            #expect(restore.status == 0 && restore.object?["source"] as? String == "s3", "\(restore.messages)")
            let delete = try run(scene, "delete", "1", "--yes", environment: keys)
            #expect(delete.status == 1 && delete.messages.contains("AccessDenied"), "\(delete.messages)")
            #expect(try run(scene, "list", "--json").object?["count"] as? Int == 1)
            #expect(try await scene.keys().count == 2)
        }
    }

    @Test("No bucket and no right to make one, and a bucket that may not be made, are said")
    func noBucket() async throws {
        try await Scene.with(.rgw) { scene in
            let forbidden = try run(
                scene, "backup", "--json", environment: ["BACKUP_S3_CREATE_BUCKET": "false"])
            #expect(forbidden.status == 3)
            let error = forbidden.object?["s3_error"] as? String ?? ""
            #expect(error.contains("NoSuchBucket") && error.contains("BACKUP_S3_CREATE_BUCKET"), "\(error)")
            #expect(try await scene.keys().isEmpty)
            #expect(try run(scene, "upload", "1").status == 0)
        }
    }

    @Test("A catalog that was lost is made anew from the store")
    func rebuild() async throws {
        try await Scene.with(.rgw) { scene in
            #expect(try run(scene, "backup").status == 0)
            try FileManager.default.removeItem(atPath: scene.backups)
            let rebuild = try run(scene, "catalog", "rebuild", "--from-s3", "--json")
            #expect(rebuild.status == 0 && rebuild.object?["adopted"] as? Int == 1, "\(rebuild.messages)")
            #expect(rebuild.messages.contains("were taken over"))
            #expect(try run(scene, "verify", "--all").status == 0)
            #expect(try run(scene, "catalog", "rebuild").status == 64)
        }
    }
}
