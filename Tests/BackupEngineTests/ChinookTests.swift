import BackupEngine
import Foundation
import Testing

@Suite("The Chinook sample database")
struct ChinookTests {
    /// In the folder that `ELDER_BACKUP_CHINOOK` names, or beside the repository; nil where it is not there.
    static let path: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["ELDER_BACKUP_CHINOOK"]
            ?? root.deletingLastPathComponent().appending(path: "shared/data").path
        let path = folder + "/Chinook_Sqlite.sqlite"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    @Test("comes back equal", .enabled(if: ChinookTests.path != nil, "Chinook_Sqlite.sqlite is not there"))
    func comesBack() async throws {
        let bench = try Bench()
        let (source, restored) = (bench.file("Chinook_Sqlite.sqlite"), bench.file("new.sqlite"))
        try FileManager.default.copyItem(atPath: try #require(ChinookTests.path), toPath: source)
        let engine = try await bench.engine()
        let backup = try await engine.backUp(source)
        #expect(backup.recordCount == 15607)
        #expect(try await engine.verify([BackupReference(backup.filename)]).ok)
        let response = try await engine.restore(backup.filename, into: restored) { $0.prove = true }
        #expect(response.restoredTables == 11)
        #expect(response.totalRecords == 15607)
        try Comparison.expectEqual(source, restored, in: bench)
    }
}
