import BackupCore
import BackupEngine
import Foundation
import Glibc
import Logging
import Testing

/// A process that dies at a named step, by SIGKILL.
@Suite struct NamedStepTests {
    static let backupSteps = ProgressEvent.Step.allCases.filter { $0.rawValue.hasPrefix("backup.") }
    static let restoreSteps = ProgressEvent.Step.allCases.filter { $0.rawValue.hasPrefix("restore.") }

    /// Tables are written and loaded one after the other, so these steps come more than once.
    private static func occurrences(_ step: ProgressEvent.Step) -> ClosedRange<Int> {
        step == .tableWritten || step == .tableLoaded ? 1...3 : 1...1
    }

    @Test("Every step belongs to a verb")
    func names() {
        // Those that need a store are for the tests that have one.
        let storeSteps = ProgressEvent.Step.allCases.filter {
            $0.rawValue.hasPrefix("upload.") || $0.rawValue.hasPrefix("delete.")
        }
        #expect(Set(Self.backupSteps + Self.restoreSteps + storeSteps) == Set(ProgressEvent.Step.allCases))
    }

    @Test("A backup that is killed leaves nothing that is half done", arguments: backupSteps)
    func backup(step: ProgressEvent.Step) async throws {
        let directory = try FaultDirectory()
        let source = directory.path("source.sqlite")
        try SampleDatabase.make(source, rows: 3000, seed: 1)
        let backups = directory.path("backups")
        let invariants = Invariants(directory: backups)
        for occurrence in Self.occurrences(step) {
            let run = try FaultRun(
                ["backup", backups, source, step.rawValue, "\(occurrence)"], of: Programs.harness, in: directory)
            #expect(run.wasKilled, "the verb never reported \(step.rawValue) \(occurrence): \(run.messages)")
            let before = invariants.archives
            try await invariants.check("\(step.rawValue) \(occurrence)")
            // From the moment that the manifest has its name the backup is one.
            let isCommitted = [.manifestRenamed, .directorySynced, .backupCompleted].contains(step)
            #expect(invariants.archives == before + (isCommitted ? 1 : 0))
        }
        let next = try FaultRun(["backup", "--source", "sqlite:\(source)", "--backup-dir", backups], in: directory)
        #expect(next.status == 0, "\(next.messages)")
        try await invariants.check("after the next backup")
    }

    @Test("A restore into a new file that is killed leaves nothing, or all of it", arguments: restoreSteps)
    func newFile(step: ProgressEvent.Step) async throws {
        let directory = try FaultDirectory()
        let (source, archive) = try Self.archive(in: directory)
        let target = directory.path("target.sqlite")
        for occurrence in Self.occurrences(step) {
            let run = try FaultRun(
                ["restore", directory.path("backups"), archive, target, step.rawValue, "\(occurrence)"],
                of: Programs.harness, in: directory)
            #expect(run.wasKilled, "the verb never reported \(step.rawValue) \(occurrence): \(run.messages)")
            #expect(directory.has("target.sqlite") == (step == .targetCommitted))
        }
        if step == .targetCommitted { try #expect(DatabaseContent(of: target) == DatabaseContent(of: source)) }
        let next = try FaultRun(
            ["restore", archive, "--into", "sqlite:\(target)", "--clear-existing", "--backup-dir", "backups"],
            in: directory)
        #expect(next.status == 0, "\(next.messages)")
        try #expect(DatabaseContent(of: target) == DatabaseContent(of: source))
        #expect(!directory.names.contains { $0.contains("restoring") || $0.hasSuffix("-journal") })
        try await Invariants(directory: directory.path("backups")).check("\(step.rawValue)")
    }

    @Test(
        "A restore into a database that is killed leaves it as it was, or replaces all", arguments: restoreSteps,
        [
            false, true,
        ])
    func existing(step: ProgressEvent.Step, logged: Bool) async throws {
        let directory = try FaultDirectory()
        let (source, archive) = try Self.archive(in: directory)
        let target = directory.path("target.sqlite")
        try SampleDatabase.make(target, rows: 2000, seed: 7, logged: logged)
        let before = try DatabaseContent(of: target)
        let after = try DatabaseContent(of: source)
        for occurrence in Self.occurrences(step) {
            let run = try FaultRun(
                ["restore", directory.path("backups"), archive, target, step.rawValue, "\(occurrence)"],
                of: Programs.harness, in: directory)
            #expect(run.wasKilled, "the verb never reported \(step.rawValue) \(occurrence): \(run.messages)")
            let found = try DatabaseContent(of: target)
            #expect(found.isSound)
            #expect(found == (step == .targetCommitted ? after : before))
        }
        let next = try FaultRun(
            ["restore", archive, "--into", "sqlite:\(target)", "--clear-existing", "--backup-dir", "backups"],
            in: directory)
        #expect(next.status == 0, "\(next.messages)")
        try #expect(DatabaseContent(of: target) == after)
    }

    /// A database and its archive in the directory `backups`.
    private static func archive(in directory: FaultDirectory) throws -> (source: String, archive: String) {
        let source = directory.path("source.sqlite")
        try SampleDatabase.make(source, rows: 3000, seed: 1)
        let run = try FaultRun(
            ["backup", "--source", "sqlite:\(source)", "--backup-dir", directory.path("backups"), "--json"],
            in: directory)
        let path = try #require(run.object?["file_path"] as? String, "\(run.messages)")
        return (source, path)
    }
}
