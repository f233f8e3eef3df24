import BackupArchive
import BackupCore
import Testing

@Suite("No damage goes unnoticed")
struct DamageTests {
    private static func sample(_ directory: TemporaryDirectory) throws -> (
        path: String, bytes: [UInt8], manifest: [UInt8]
    ) {
        let path = try Sample.write(Sample.small, in: directory).path
        return (path, try Files.read(path), try Files.read(path + ".manifest.json"))
    }

    private static func expectDamage(_ path: String, usingManifest: Bool = true, _ what: String) throws {
        let error = try Reading.failure(path, usingManifest: usingManifest)
        #expect(error?.code == .damaged, "\(what), manifest \(usingManifest): \(error?.description ?? "was read")")
    }

    @Test("every byte of an archive, with and without its manifest", arguments: [UInt8(0x01), 0x80, 0xFF])
    func flippedArchive(_ mask: UInt8) throws {
        let directory = try TemporaryDirectory()
        let (path, bytes, _) = try Self.sample(directory)
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= mask
            try Files.write(damaged, to: path)
            try Self.expectDamage(path, "byte \(place) ^ \(mask)")
            try Self.expectDamage(path, usingManifest: false, "byte \(place) ^ \(mask)")
        }
        try Files.write(bytes, to: path)
        #expect(try Reading.failure(path) == nil)
    }

    @Test("every byte of a manifest", arguments: [UInt8(0x01), 0x80, 0xFF])
    func flippedManifest(_ mask: UInt8) throws {
        let directory = try TemporaryDirectory()
        let (path, _, manifest) = try Self.sample(directory)
        for place in manifest.indices {
            var damaged = manifest
            damaged[place] ^= mask
            try Files.write(damaged, to: path + ".manifest.json")
            try Self.expectDamage(path, "manifest byte \(place) ^ \(mask)")
        }
    }

    @Test("an archive or a manifest cut at any length")
    func truncated() throws {
        let directory = try TemporaryDirectory()
        let (path, bytes, manifest) = try Self.sample(directory)
        for length in 0..<bytes.count {
            try Files.write(Array(bytes[..<length]), to: path)
            try Self.expectDamage(path, "archive of \(length) bytes")
            try Self.expectDamage(path, usingManifest: false, "archive of \(length) bytes")
        }
        try Files.write(bytes, to: path)
        for length in 0..<manifest.count {
            try Files.write(Array(manifest[..<length]), to: path + ".manifest.json")
            try Self.expectDamage(path, "manifest of \(length) bytes")
        }
    }

    @Test(
        "something behind an archive or a manifest",
        arguments: [[0], [0x0A], [0x1F, 0x8B], Array(repeating: 0, count: 512)] as [[UInt8]])
    func appended(_ garbage: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        let (path, bytes, manifest) = try Self.sample(directory)
        try Files.write(bytes + garbage, to: path)
        try Self.expectDamage(path, "archive and \(garbage.count) bytes")
        try Self.expectDamage(path, usingManifest: false, "archive and \(garbage.count) bytes")
        try Files.write(bytes + bytes, to: path)
        try Self.expectDamage(path, usingManifest: false, "the archive twice")
        try Files.write(bytes, to: path)
        try Files.write(manifest + garbage, to: path + ".manifest.json")
        try Self.expectDamage(path, "manifest and \(garbage.count) bytes")
    }

    @Test("members in another order, twice, missing, or of another archive")
    func shuffled() throws {
        let directory = try TemporaryDirectory()
        let tables = [
            SampleTable.random("a", count: 20_000, seed: 8, spread: 40),
            .random("b", count: 20_000, seed: 9, spread: 40),
        ]
        let path = try Sample.write(tables, in: directory).path
        let members = Member.all(of: try Files.read(path)).map(\.bytes)
        var others = tables
        others[0].rows.reverse()
        others[1].rows[5] = Array(#"{"id":0,"name":"other"}"#.utf8)
        let other = Member.all(of: try Files.read(try Sample.write(others, in: directory, stem: "other").path)).map(
            \.bytes)
        try #require(members.count >= 7 && members.count == Member.all(of: members.flatMap { $0 }).count)
        func expectDamage(_ changed: [[UInt8]], _ what: String) throws {
            try Files.write(changed.flatMap { $0 }, to: path)
            try Self.expectDamage(path, what)
            try Self.expectDamage(path, usingManifest: false, what)
        }
        for first in members.indices {
            for second in members.indices where second > first {
                var changed = members
                changed.swapAt(first, second)
                try expectDamage(changed, "members \(first) and \(second) swapped")
            }
            var changed = members
            changed.insert(members[first], at: first)
            try expectDamage(changed, "member \(first) twice")
            changed = members
            changed.remove(at: first)
            try expectDamage(changed, "member \(first) missing")
        }
        for (place, foreign) in other.enumerated() {
            for index in members.indices where members[index] != foreign {
                var changed = members
                changed[index] = foreign
                try expectDamage(changed, "member \(index) replaced by \(place) of another archive")
            }
        }
    }

    @Test("manifests of other archives, even with the same tables and sizes")
    func exchanged() throws {
        let directory = try TemporaryDirectory()
        func write(_ name: String, _ tables: [SampleTable], job: Int64 = 7) throws -> String {
            try Sample.write(tables, in: directory, stem: name, job: job).path
        }
        var changed = Sample.small
        changed[0].rows[0] = Array(#"{"id":7,"name":"Zoë"}"#.utf8)
        let paths = [
            try write("a", Sample.small), try write("b", changed), try write("c", Sample.small, job: 8),
            try write("d", Array(Sample.small.dropLast())), try write("e", []),
        ]
        for archive in paths {
            for manifest in paths where manifest != archive {
                let own = try Files.read(archive + ".manifest.json")
                try Files.write(try Files.read(manifest + ".manifest.json"), to: archive + ".manifest.json")
                try Self.expectDamage(archive, "\(archive) with the manifest of \(manifest)")
                try Files.write(own, to: archive + ".manifest.json")
            }
            #expect(try Reading.failure(archive) == nil)
        }
    }

    @Test("reindexing makes the manifest that was lost, and refuses a damaged archive")
    func reindex() throws {
        let directory = try TemporaryDirectory()
        let (path, bytes, manifest) = try Self.sample(directory)
        try Files.write([], to: path + ".manifest.json")
        #expect(try ArchiveIndexer.reindex(path: path, workers: 2) == path + ".manifest.json")
        #expect(try Files.read(path + ".manifest.json") == manifest)
        var damaged = bytes
        damaged[bytes.count / 2] ^= 1
        try Files.write(damaged, to: path)
        #expect(throws: BackupError.self) { try ArchiveIndexer.reindex(path: path, workers: 2) }
        #expect(try Files.read(path + ".manifest.json") == manifest)
        #expect(try directory.names().count == 2)
    }
}
