import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("What there is: list, show, stats, verify, download, delete, prune, rebuild, reindex, cat")
struct InventoryTests {
    private struct Scene {
        var bench: Bench
        var engine: BackupEngine
        var source: String
        var catalog: TestDatabase
    }

    private func scene(backups: Int = 1) async throws -> Scene {
        let bench = try Bench()
        let source = bench.file("source.sqlite")
        try TestDatabase(source).run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES(1,'one'),(2,'zwei ü'),(3,NULL);"
                + "CREATE TABLE u(x); INSERT INTO u VALUES(1)")
        let engine = try await bench.engine()
        for _ in 0..<backups { _ = try await engine.backUp(source) }
        return Scene(
            bench: bench, engine: engine, source: source, catalog: try TestDatabase(bench.backups + "/catalog.sqlite"))
    }

    private func flip(_ path: String) throws {
        var data = try Data(contentsOf: URL(filePath: path))
        data[data.count / 2] ^= 0x20
        try data.write(to: URL(filePath: path))
    }

    @Test("list and stats")
    func listAndStats() async throws {
        let scene = try await scene(backups: 6)
        _ = await failure { _ = try await scene.engine.backUp(scene.bench.file("missing")) }
        let records = try await scene.engine.list()
        #expect(records.map(\.id) == [7, 6, 5, 4, 3, 2, 1])
        #expect(Set(records.dropFirst().map(\.filename)).count == 6)
        #expect(try await scene.engine.list(limit: 2).map(\.id) == [7, 6])
        #expect(try await scene.engine.list(job: JobReference("default")).count == 7)
        #expect(await failure { _ = try await scene.engine.list(job: JobReference("none")) }.code == .notFound)
        let stats = try await scene.engine.stats()
        #expect(stats.totalBackups == 7 && stats.completedBackups == 6 && stats.failedBackups == 1)
        #expect(stats.totalSizeBytes == records.filter { $0.status == .completed }.reduce(0) { $0 + $1.fileSize })
        #expect(stats.recentBackups.map(\.id) == [7, 6, 5, 4, 3] && stats.backupDirectory == scene.bench.backups)
    }

    @Test("show tells tables, rows and what each object of the source became")
    func show() async throws {
        let scene = try await scene()
        let details = try await scene.engine.show(BackupReference("1"))
        #expect(details.record?.id == 1 && details.archive.manifest && details.archive.form == "elder-backup")
        #expect(details.archive.tables.map(\.name) == ["t", "u"] && details.archive.tables.map(\.rows) == [3, 1])
        #expect(details.archive.tables.first?.columns.map(\.name) == ["id", "v"])
        #expect(details.archive.ledger?.count == 2 && details.archive.recordCount == 4)
        try FileManager.default.removeItem(
            atPath: scene.bench.backups + "/\(details.record?.filename ?? "").manifest.json")
        let bare = try await scene.engine.show(BackupReference("1"))
        #expect(!bare.archive.manifest && bare.archive.tables.map(\.digest) == details.archive.tables.map(\.digest))
    }

    @Test("verify --all finds the damaged and the missing, and writes down what it found")
    func verifyAll() async throws {
        let scene = try await scene(backups: 4)
        let records = try await scene.engine.list()
        try flip(records[1].filePath)
        try FileManager.default.removeItem(atPath: records[2].filePath)
        try FileManager.default.removeItem(atPath: records[3].filePath + ".manifest.json")
        let response = try await scene.engine.verify([], all: true)
        #expect(!response.ok && response.verified == 2 && response.damaged == 2)
        #expect(response.backups.map(\.backupID) == [4, 3, 2, 1])
        #expect(response.backups.map(\.manifest) == [true, false, false, false])
        #expect(response.backups[1].error?.contains(records[1].filePath) == true)
        let after = try await scene.engine.list()
        #expect(after.map(\.localState) == [.present, .damaged, .missing, .present])
        #expect(after.map { $0.verifiedAt != nil } == [true, false, false, true])
        // Put right again, it counts again.
        try flip(records[1].filePath)
        #expect(try await scene.engine.verify([BackupReference("3")]).ok)
        #expect(try await scene.engine.list()[1].localState == .present)
    }

    @Test("download copies archive and manifest, checks the digest, never replaces")
    func download() async throws {
        let scene = try await scene()
        let record = try #require(try await scene.engine.list().first)
        let folder = scene.bench.file("out")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = try await scene.engine.download(BackupReference("1"), to: folder).path
        #expect(path == folder + "/" + record.filename)
        #expect(FileManager.default.contentsEqual(atPath: path, andPath: record.filePath))
        #expect(try await scene.engine.verify([BackupReference(path)]).backups.first?.manifest == true)
        let again = await failure { _ = try await scene.engine.download(BackupReference("1"), to: path) }
        #expect(again.code == .storage && again.message.contains("exists already"))
        try flip(record.filePath)
        let other = scene.bench.file("other.json.gz")
        let damaged = await failure { _ = try await scene.engine.download(BackupReference("1"), to: other) }
        #expect(damaged.code == .damaged)
        #expect(scene.bench.files == ["out", "source.sqlite"])
    }

    @Test("delete takes record, archive and manifest")
    func delete() async throws {
        let scene = try await scene(backups: 2)
        let record = try await scene.engine.delete(BackupReference("1"))
        #expect(try await scene.engine.list().map(\.id) == [2])
        #expect(!scene.bench.archiveFiles.contains { $0.hasPrefix(record.filename) } || record.filename.isEmpty)
        #expect(scene.bench.archiveFiles.count == 2)
        #expect(await failure { _ = try await scene.engine.delete(BackupReference("1")) }.code == .notFound)
        // A file that is gone already is no hindrance.
        let second = try #require(try await scene.engine.list().first)
        try FileManager.default.removeItem(atPath: second.filePath)
        _ = try await scene.engine.delete(BackupReference("2"))
        #expect(scene.bench.archiveFiles.isEmpty)
        #expect(try await scene.engine.list().isEmpty)
    }

    @Test("a failed run of the same second does not hide the backup of that name")
    func sameName() async throws {
        let scene = try await scene()
        _ = await failure { _ = try await scene.engine.backUp(scene.bench.file("missing")) }
        try scene.catalog.run(
            "UPDATE backups SET filename=(SELECT filename FROM backups WHERE id=1),"
                + "file_path=(SELECT file_path FROM backups WHERE id=1) WHERE id=2")
        let record = try #require(try await scene.engine.list().last)
        for reference in [record.filename, record.filePath] {
            #expect(try await scene.engine.show(BackupReference(reference)).record?.id == 1)
            #expect(try await scene.engine.verify([BackupReference(reference)]).backups.first?.backupID == 1)
        }
        #expect(try await scene.engine.list().map(\.localState) == [.none, .present])
        #expect(try await scene.engine.delete(BackupReference(record.filename)).id == 1)
        #expect(scene.bench.archiveFiles.isEmpty)
    }

    // MARK: Retention

    /// Days before the newest backup, oldest first; which are kept at 30 days.
    static let histories: [(ages: [Int], kept: [Int])] = [
        ([0], [0]), ([100, 0], [100, 0]), ([60, 40, 31, 30, 29, 0], [30, 29, 0]), ([45, 44, 43], [45, 44, 43]),
        ([400, 300, 20, 10, 0], [20, 10, 0]),
    ]

    @Test("prune keeps what is younger than the window before the newest", arguments: histories)
    func prune(_ history: (ages: [Int], kept: [Int])) async throws {
        let scene = try await scene(backups: history.ages.count)
        for (index, age) in history.ages.enumerated() {
            try scene.catalog.run(
                "UPDATE backups SET started_at=strftime('%Y-%m-%d %H:%M:%S','2024-06-30 12:00:00','-\(age) days')"
                    + "WHERE id=\(index + 1)")
        }
        let kept = history.ages.indices.filter { history.kept.contains(history.ages[$0]) }.map { Int64($0 + 1) }
        let dry = try await scene.engine.prune(dryRun: true)
        #expect(dry.kept == kept.count && dry.deleted == history.ages.count - kept.count)
        #expect(try await scene.engine.list().count == history.ages.count)
        let response = try await scene.engine.prune()
        #expect(response.deleted == dry.deleted && response.freedBytes == dry.freedBytes)
        #expect(response.freedBytes > 0 || response.deleted == 0)
        #expect(try await scene.engine.list().map(\.id).sorted() == kept)
        #expect(scene.bench.archiveFiles.count == kept.count * 2)
        #expect(try await scene.engine.verify([], all: true).ok)
        #expect(try await scene.engine.prune().deleted == 0)
    }

    @Test("prune keeps what a rule of the job keeps, and a second run deletes nothing")
    func pruneByRules() async throws {
        let ages = [400, 70, 41, 40, 9, 1, 0]
        let scene = try await scene(backups: ages.count)
        for (index, age) in ages.enumerated() {
            try scene.catalog.run(
                "UPDATE backups SET started_at=strftime('%Y-%m-%d %H:%M:%S','2024-06-30 12:00:00','-\(age) days')"
                    + "WHERE id=\(index + 1)")
        }
        var change = BackupJobChange()
        change.timeZone = "Europe/Berlin"
        change.retention = RetentionChange(days: 0)
        change.retention.daily = 2
        change.retention.monthly = 3
        _ = try await scene.engine.updateJob(JobReference("1"), change)
        let dry = try await scene.engine.prune(dryRun: true)
        let response = try await scene.engine.prune()
        #expect(response.backups.map(\.keep) == dry.backups.map(\.keep))
        #expect(try await scene.engine.list().map(\.id).sorted() == [2, 4, 6, 7])
        #expect(response.backups.first { $0.backupID == 4 }?.reason == "monthly 2 of 3 (2024-05)")
        #expect(try await scene.engine.prune().deleted == 0)
    }

    // MARK: From the files alone

    @Test("a catalog that was lost comes back from the archives")
    func rebuild() async throws {
        let scene = try await scene(backups: 3)
        var change = BackupJobChange()
        change.name = "weekly"
        change.source = "sqlite:" + scene.source
        _ = try await scene.engine.createJob(change)
        var request = BackupRequest()
        request.job = JobReference("weekly")
        _ = try await scene.engine.backup(request)
        let before = try await scene.engine.list()
        try FileManager.default.removeItem(atPath: scene.bench.backups + "/catalog.sqlite")
        try Data("rubbish".utf8).write(to: URL(filePath: scene.bench.backups + "/backup_9_20200101_000000.json.gz"))

        let engine = try await scene.bench.engine()
        #expect(try await engine.list().isEmpty)
        let response = try await engine.rebuildCatalog(fromDirectory: scene.bench.backups)
        #expect(response.adopted == 4 && response.known == 0)
        #expect(response.skipped.count == 1 && response.skipped.first?.contains("backup_9_") == true)
        let after = try await engine.list()
        #expect(Set(after.map(\.filename)) == Set(before.map(\.filename)))
        for record in after {
            let old = try #require(before.first { $0.filename == record.filename })
            #expect(record.sha256 == old.sha256 && record.fileSize == old.fileSize && record.jobID == old.jobID)
            #expect(record.recordCount == old.recordCount && record.status == old.status)
            #expect(record.startedAt == old.startedAt && record.filePath == old.filePath)
        }
        #expect(Set(try await engine.jobs().map(\.name)) == ["default", "weekly"])
        let again = try await engine.rebuildCatalog(fromDirectory: scene.bench.backups)
        #expect(again.adopted == 0 && again.known == 4)
        // A new backup of a job goes on under its id.
        #expect(try await engine.backUp(scene.source).filename.hasPrefix("backup_1_"))
    }

    @Test("a manifest that was lost or damaged is made anew, to the byte", arguments: [true, false])
    func reindex(_ removes: Bool) async throws {
        let scene = try await scene()
        let record = try #require(try await scene.engine.list().first)
        let manifest = record.filePath + ".manifest.json"
        let good = try Data(contentsOf: URL(filePath: manifest))
        if removes {
            try FileManager.default.removeItem(atPath: manifest)
        } else {
            try flip(manifest)
            #expect(try await scene.engine.verify([BackupReference("1")]).backups.first?.ok == false)
        }
        #expect(try await BackupEngine.reindexArchive(path: record.filePath) == manifest)
        #expect(try Data(contentsOf: URL(filePath: manifest)) == good)
        #expect(try await scene.engine.verify([BackupReference("1")]).backups.first?.manifest == true)
        try flip(record.filePath)
        let error = await failure { _ = try await BackupEngine.reindexArchive(path: record.filePath) }
        #expect(error.code == .damaged)
        #expect(try Data(contentsOf: URL(filePath: manifest)) == good)
    }

    @Test("cat gives a table's rows, one a line, and the whole text")
    func cat() async throws {
        let scene = try await scene()
        let record = try #require(try await scene.engine.list().first)
        func cat(_ table: String?) async throws -> String {
            let path = scene.bench.file("cat")
            try Data().write(to: URL(filePath: path))
            let output = try FileHandle(forWritingTo: URL(filePath: path))
            try await BackupEngine.catArchive(path: record.filePath, table: table, to: output.fileDescriptor)
            try output.close()
            return try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        }
        #expect(
            try await cat("t")
                == "{\"id\":1,\"v\":\"one\"}\n{\"id\":2,\"v\":\"zwei ü\"}\n{\"id\":3,\"v\":null}\n")
        #expect(try await cat("u") == "{\"$rowid\":1,\"x\":1}\n")
        #expect(try await cat(nil) == Comparison.unzipped(record.filePath))
        #expect(await failure { _ = try await cat("nope") }.code == .notFound)
    }
}
