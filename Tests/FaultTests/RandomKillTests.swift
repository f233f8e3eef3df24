import Foundation
import Glibc
import Testing

/// The program is killed at moments that nobody chose.
@Suite(.serialized) struct RandomKillTests {
    private static let rounds = 100
    private static let rows = 40_000

    @Test("Backups that are killed at random moments")
    func backups() async throws {
        let directory = try FaultDirectory()
        let source = directory.path("source.sqlite")
        try SampleDatabase.make(source, rows: Self.rows, seed: 3, logged: true)
        let backups = directory.path("backups")
        let invariants = Invariants(directory: backups)
        let arguments = ["backup", "--source", "sqlite:\(source)", "--backup-dir", backups]
        var usual = try usualTime(arguments, in: directory)
        var killed = 0
        for round in 0..<Self.rounds {
            // Staging is a phase of its own.
            let staged = round % 4 == 3 ? ["--stage"] : []
            let run = try FaultRun(arguments + staged, in: directory, killAfter: moment(round, usual))
            note(run, &killed, &usual)
            try await invariants.check("round \(round)")
        }
        #expect(killed > Self.rounds / 2)
        let next = try FaultRun(arguments, in: directory)
        #expect(next.status == 0, "\(next.messages)")
        try await invariants.check("after the next backup")
        #expect(try DatabaseContent(of: source).isSound)
    }

    @Test("Restores that are killed at random moments, into new files and into databases")
    func restores() async throws {
        let directory = try FaultDirectory()
        let source = directory.path("source.sqlite")
        try SampleDatabase.make(source, rows: Self.rows, seed: 3)
        let backups = directory.path("backups")
        _ = try FaultRun(["backup", "--source", "sqlite:\(source)", "--backup-dir", backups], in: directory)
        let original = directory.path("original.sqlite")
        try SampleDatabase.make(original, rows: Self.rows / 4, seed: 7)
        let target = directory.path("target.sqlite")
        let arguments = [
            "restore", "1", "--into", "sqlite:\(target)", "--clear-existing", "--backup-dir", backups,
        ]
        let contents = (before: try DatabaseContent(of: original), after: try DatabaseContent(of: source))
        var killed = 0
        var usual = [0.0, 0.0]
        for round in 0..<Self.rounds {
            let isNew = round % 2 == 0
            try place(isNew ? nil : original, at: target)
            if round < 2 {
                let run = try FaultRun(arguments, in: directory)
                #expect(run.status == 0, "\(run.messages)")
                usual[round] = run.seconds
                continue
            }
            let run = try FaultRun(
                arguments, in: directory, killAfter: moment(round / 2, usual[isNew ? 0 : 1]))
            note(run, &killed, &usual[isNew ? 0 : 1])
            if isNew, !directory.has("target.sqlite") {
                #expect(run.wasKilled)
                continue
            }
            let found = try DatabaseContent(of: target)
            #expect(found.isSound)
            let allowed = isNew ? [contents.after] : [contents.before, contents.after]
            #expect(allowed.contains(found), "round \(round): \(found)")
        }
        #expect(killed > Self.rounds / 2)
        try place(nil, at: target)
        let next = try FaultRun(arguments, in: directory)
        #expect(next.status == 0, "\(next.messages)")
        try #expect(DatabaseContent(of: target) == contents.after)
        #expect(!directory.names.contains { $0.contains("restoring") })
        try await Invariants(directory: backups).check("after all restores")
    }

    /// Counts a kill; a run that was faster than the kill tells what is usual when the machine is less busy.
    private func note(_ run: FaultRun, _ killed: inout Int, _ usual: inout Double) {
        if run.wasKilled {
            killed += 1
        } else {
            #expect(run.status == 0, "\(run.messages)")
            usual = min(usual, run.seconds)
        }
    }

    /// The time of the faster of two runs.
    private func usualTime(_ arguments: [String], in directory: FaultDirectory) throws -> Double {
        var times: [Double] = []
        for _ in 0..<2 {
            let run = try FaultRun(arguments, in: directory)
            #expect(run.status == 0, "\(run.messages)")
            times.append(run.seconds)
        }
        return times.min() ?? 0.1
    }

    /// Moments spread over the whole run: one at random in each tenth of it, again and again.
    private func moment(_ round: Int, _ usual: Double) -> Double {
        usual * (Double(round % 10) + .random(in: 0..<1)) / 10
    }

    private func place(_ original: String?, at target: String) throws {
        for name in [target, target + "-journal", target + "-wal", target + "-shm"] { unlink(name) }
        if let original { try FileManager.default.copyItem(atPath: original, toPath: target) }
    }
}
