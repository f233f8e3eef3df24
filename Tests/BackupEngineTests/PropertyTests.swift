import BackupArchive
import BackupCore
import BackupEngine
import Foundation
import Testing

@Suite("Random databases come back equal")
struct PropertyTests {
    /// `ELDER_BACKUP_SEED` runs one seed alone.
    static let blocks: [Range<UInt64>] = {
        if let seed = ProcessInfo.processInfo.environment["ELDER_BACKUP_SEED"].flatMap({ UInt64($0) }) {
            return [seed..<seed + 1]
        }
        return (0..<10).map { $0 * 16..<$0 * 16 + 16 }
    }()

    @Test("backup, restore with proof, and a backup of what was restored", arguments: blocks)
    func roundTrip(_ seeds: Range<UInt64>) async throws {
        var records: Int64 = 0
        for seed in seeds {
            do {
                records += try await check(seed)
            } catch {
                Issue.record("seed \(seed) (ELDER_BACKUP_SEED=\(seed)): \(error)")
            }
        }
        #expect(records > 100 || seeds.count == 1, "the generator makes no rows")
    }

    private func check(_ seed: UInt64) async throws -> Int64 {
        let bench = try Bench()
        let (source, restored) = (bench.file("source.sqlite"), bench.file("restored.sqlite"))
        try RandomDatabase.create(at: source, seed: seed)
        let engine = try await bench.engine()
        let first = try await engine.backUp(source)
        try await engine.restore(first.filePath, into: restored) { $0.prove = true }
        let second = try await engine.backUp(restored)

        let (expected, found) = (try Comparison.dump(source), try Comparison.dump(restored))
        #expect(expected == found, "seed \(seed), dump: \(Comparison.difference(expected, found))")
        #expect(
            try Comparison.vacuumed(source, in: bench) == Comparison.vacuumed(restored, in: bench),
            "seed \(seed), VACUUM INTO")
        let (one, two) = (try tables(of: first.filePath), try tables(of: second.filePath))
        if one != two {
            let texts = try [first.filePath, second.filePath].map { path in
                String(try Comparison.unzipped(path).split(separator: "\"tables\": {").last ?? "")
            }
            let difference = Comparison.difference(Data(texts[0].utf8), Data(texts[1].utf8))
            Issue.record("seed \(seed), members of the second backup: \(one) ≠ \(two): \(difference)")
        }
        #expect(first.recordCount == second.recordCount, "seed \(seed)")
        return first.recordCount
    }

    /// The compressed bytes of each table.
    private func tables(of path: String) throws -> [String: Data] {
        let data = try Data(contentsOf: URL(filePath: path))
        guard let manifest = try ArchiveReader.open(path: path).manifest else {
            throw TestFailure(description: "no manifest beside \(path)")
        }
        return Dictionary(
            manifest.tables.map { ($0.description.name, data.subdata(in: $0.offset..<$0.offset + $0.length)) },
            uniquingKeysWith: { first, _ in first })
    }
}
