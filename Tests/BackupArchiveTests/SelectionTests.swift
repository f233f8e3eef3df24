import BackupArchive
import BackupCore
import Testing

@Suite("A table can be read without the others")
struct SelectionTests {
    private static let tables = [
        SampleTable.random("first", count: 12_000, seed: 5), .random("chosen", count: 12_000, seed: 6),
        SampleTable("empty", rows: []), .random("last", count: 12_000, seed: 7),
    ]

    private func archive(_ directory: TemporaryDirectory) throws -> (path: String, bytes: [UInt8]) {
        let path = try Sample.write(Self.tables, in: directory).path
        return (path, try Files.read(path))
    }

    /// Whether a member belongs to a table of this archive, by its place in it.
    private func tableIndex(_ members: [Member]) -> [Int?] {
        var index = -1
        return members.map { member in
            guard member.kind == 1 else { return nil }
            if member.flags & 1 != 0 { index += 1 }
            return index
        }
    }

    @Test("with a manifest, from its own members, the preamble, and the header that ends the preamble")
    func withManifest() throws {
        let directory = try TemporaryDirectory()
        var (path, bytes) = try archive(directory)
        let members = Member.all(of: bytes)
        for (member, index) in zip(members, tableIndex(members)) where member.kind != 0 && index != 1 {
            let start = member.offset == members[1].offset ? 40 : 0
            for place in member.offset + start..<member.offset + member.bytes.count { bytes[place] = 0xAA }
        }
        try Files.write(bytes, to: path)
        #expect(try Reading.some(["chosen"], of: path) == [Self.tables[1]])
        #expect(throws: BackupError.self) { try Reading.some(["chosen", "last"], of: path) }
        #expect(throws: BackupError.self) { try Reading.all(path) }
    }

    @Test("without a manifest, from its own members and the headers of the others")
    func withoutManifest() throws {
        let directory = try TemporaryDirectory()
        var (path, bytes) = try archive(directory)
        let members = Member.all(of: bytes)
        for (member, index) in zip(members, tableIndex(members)) where member.kind == 1 && index != 1 {
            for place in member.offset + 40..<member.offset + member.bytes.count { bytes[place] = 0xAA }
        }
        try Files.write(bytes, to: path)
        #expect(try Reading.some(["chosen"], of: path, usingManifest: false) == [Self.tables[1]])
        #expect(throws: BackupError.self) { try Reading.some(["first"], of: path, usingManifest: false) }
    }

    @Test("in the archive's order, also an empty one, and an unknown one is refused", arguments: [true, false])
    func choice(_ usingManifest: Bool) throws {
        let directory = try TemporaryDirectory()
        let (path, _) = try archive(directory)
        #expect(
            try Reading.some(["last", "empty"], of: path, usingManifest: usingManifest) == Array(Self.tables[2...]))
        #expect(try Reading.some([], of: path, usingManifest: usingManifest).isEmpty)
        let error = #expect(throws: BackupError.self) {
            try Reading.some(["last", "none"], of: path, usingManifest: usingManifest)
        }
        #expect(error?.code == .notFound)
    }

    @Test("a flipped byte of the chosen table is found, with and without the manifest", arguments: [true, false])
    func damage(_ usingManifest: Bool) throws {
        let directory = try TemporaryDirectory()
        let (path, bytes) = try archive(directory)
        let members = Member.all(of: bytes)
        for (member, index) in zip(members, tableIndex(members)) where index == 1 {
            for place in stride(from: 0, to: member.bytes.count, by: member.bytes.count / 23) {
                var damaged = bytes
                damaged[member.offset + place] ^= 0x10
                try Files.write(damaged, to: path)
                let error = #expect(throws: BackupError.self) {
                    try Reading.some(["chosen"], of: path, usingManifest: usingManifest)
                }
                #expect(error?.code == .damaged)
            }
        }
    }
}
