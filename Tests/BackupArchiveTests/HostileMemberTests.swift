import BackupArchive
import BackupCore
import Glibc
import Testing

/// Members with correct checksums that no writer of ours made: each must be refused, without asking for the memory
/// that they promise.
@Suite("Hostile members are refused")
struct HostileMemberTests {
    private struct Parts {
        var preamble: [UInt8]
        var rows: [[UInt8]]
        var summary: [UInt8]
        var all: [UInt8] { preamble + rows.flatMap { $0 } + summary }

        init(_ directory: TemporaryDirectory) throws {
            let table = SampleTable("t", texts: [#"{"id":1,"name":"x"}"#])
            let members = Member.all(of: try Files.read(try Sample.write([table], in: directory).path)).map(\.bytes)
            try #require(members.count == 3)
            preamble = members[0]
            rows = [members[1]]
            summary = members[2]
        }
    }

    private func expectDamage(_ bytes: [UInt8], _ directory: TemporaryDirectory, _ what: String) throws {
        let path = directory.file("hostile.json.gz")
        try Files.write(bytes, to: path)
        let error = try Reading.failure(path, usingManifest: false)
        #expect(error?.code == .damaged, "\(what): \(error?.description ?? "was read")")
        // As text an archive may pass, for there only members are checked; but it must not crash either.
        _ = Result { try ArchiveText.read(path: path) { _ in } }
    }

    @Test("the helper makes members that are accepted")
    func control() throws {
        let directory = try TemporaryDirectory()
        var parts = try Parts(directory)
        // The summary holds the SHA-256 of what precedes it, so only a member equal to ours can take its place.
        let member = Member(offset: 0, bytes: parts.rows[0])
        let crc32 = UInt32(Member.number(member.bytes, member.bytes.count - 8))
        parts.rows[0] = Member.make(
            .init(kind: 1, flags: 3, textLength: UInt32(member.textLength), rowCount: 1), data: member.data,
            crc32: crc32)
        #expect(parts.rows[0] == member.bytes)
        let path = directory.file("same.json.gz")
        try Files.write(parts.all, to: path)
        #expect(try Reading.failure(path, usingManifest: false) == nil)
    }

    @Test("lengths and counts that cannot be")
    func lengths() throws {
        let directory = try TemporaryDirectory()
        let parts = try Parts(directory)
        let text = Array("\n\"t\": [\n{\"id\":1,\"name\":\"x\"}\n]".utf8)
        let data = Gzip.stored(text)
        let crc32 = Gzip.crc32(text)
        let padding = [UInt8](repeating: 0, count: 5 << 20)
        for textLength in [0, 1, UInt32(text.count) - 1, UInt32(text.count) + 1, 1 << 31, UInt32.max] {
            for rowCount in [0, 1, 2, UInt32.max] {
                for data in [data, data + padding]
                where !(data.count < 100 && textLength == UInt32(text.count) && rowCount == 1) {
                    let member = Member.make(
                        .init(kind: 1, flags: 3, textLength: textLength, rowCount: rowCount), data: data, crc32: crc32)
                    try expectDamage(
                        parts.preamble + member + parts.summary, directory,
                        "text \(textLength), rows \(rowCount), \(data.count)")
                }
            }
        }
        for length in [0, 1, 47, 48, 49, 1 << 20, UInt32.max] {
            let member = Member.make(
                .init(kind: 1, flags: 3, textLength: UInt32(text.count), rowCount: 1, memberLength: length), data: data,
                crc32: crc32)
            try expectDamage(parts.preamble + member + parts.summary, directory, "length \(length)")
            try expectDamage(member, directory, "first, of length \(length)")
        }
    }

    /// In a process of its own, whose memory no other test shares. The members' bytes are as their headers say, so
    /// that only the lengths themselves can give them away.
    @Test("promises of gigabytes cost no memory", arguments: [0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF] as [UInt32])
    func promises(_ textLength: UInt32) async throws {
        let directory = try TemporaryDirectory()
        let parts = try Parts(directory)
        let path = directory.file("promise.json.gz")
        var member = Member.make(
            .init(kind: 1, flags: 3, textLength: textLength, rowCount: 1), data: Array(repeating: 0, count: 3 << 20),
            crc32: 0)
        // The last one's lengths could be right: only its checksum is not.
        if textLength < 1 << 31 { member[100] ^= 1 }
        try Files.write(parts.preamble + member + parts.summary, to: path)
        await #expect(processExitsWith: .success) { [path = path as String] in
            let before = try Memory.peak()
            #expect(try Reading.failure(path, usingManifest: false)?.code == .damaged)
            #expect(throws: BackupError.self) { try ArchiveText.read(path: path) { _ in } }
            let growth = try Memory.peak() - before
            #expect(growth < 48 << 20, "memory grew by \(growth) bytes")
        }
    }

    @Test("kinds and flags in an order that cannot be")
    func order() throws {
        let directory = try TemporaryDirectory()
        let parts = try Parts(directory)
        let text = Array("\n\"t\": [\n{\"id\":1,\"name\":\"x\"}\n]".utf8)
        for kind in UInt8(0)...4 {
            for flags in UInt8(0)...5 where !(kind == 1 && flags == 3) {
                let member = Member.stored(kind, flags: flags, rows: 1, text)
                try expectDamage(parts.preamble + member + parts.summary, directory, "kind \(kind), flags \(flags)")
            }
        }
        let rows = parts.rows[0]
        try expectDamage(parts.summary + rows + parts.preamble, directory, "backwards")
        try expectDamage(rows + parts.summary, directory, "no preamble")
        try expectDamage(parts.preamble + parts.summary, directory, "no rows")
        try expectDamage(parts.preamble + rows, directory, "no summary")
        try expectDamage(parts.preamble + rows + parts.preamble + parts.summary, directory, "a preamble behind rows")
        try expectDamage(parts.preamble + rows + parts.summary + parts.summary, directory, "two summaries")
    }

    @Test(
        "text that is not laid out as rows",
        arguments: [
            "\n\"t\": [\n{\"id\":1}\n] ", "\n\"t\": [{\"id\":1}\n]", "\n\"t\": [\n{\"id\":1},\n]",
            "\n\"u\": [\n{\"id\":1}\n]",
            ",\n\"t\": [\n{\"id\":1}\n]", "\n\"t\": [\n[1]\n]", "\n\"t\": [\n{\"id\":1", "\n\"t\": [\n]", "",
            "\n\"t\": [\n{}{}\n]",
            "\n\"t\": [\n{\"id\":}\n]",
        ])
    func layout(_ text: String) throws {
        let directory = try TemporaryDirectory()
        let parts = try Parts(directory)
        try expectDamage(
            parts.preamble + Member.stored(1, flags: 3, rows: 1, Array(text.utf8)) + parts.summary, directory, text)
    }

    @Test("summaries and preambles whose numbers or texts cannot be")
    func contents() throws {
        let directory = try TemporaryDirectory()
        let parts = try Parts(directory)
        let zeros = String(repeating: "0", count: 64)
        let table = "{\"name\":\"t\",\"rows\":9223372036854775807,\"digest\":\"\(zeros.prefix(32))\"}"
        let summary = """

            },
            "summary": {
            "tables": [
            \(table),
            \(table)
            ],
            "record_count": -2,
            "preceding_bytes": 1,
            "preceding_sha256": "\(zeros)"
            }
            }

            """
        try expectDamage(
            parts.preamble + parts.rows[0] + Member.stored(2, Array(summary.utf8)), directory, "counts that overflow")
        for text in [
            "", "{", "{}", "[]", "{\n\"version\": \"1.2.0\",\n\"tables\": {", String(repeating: "[", count: 100_000),
        ] {
            try expectDamage(
                Member.stored(0, Array(text.utf8)) + parts.rows[0] + parts.summary, directory,
                "preamble \(text.prefix(40))")
            try expectDamage(parts.preamble + parts.rows[0] + Member.stored(2, Array(text.utf8)), directory, "summary")
        }
    }

    @Test("an archive of a newer format or layout says so")
    func newer() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("newer.json.gz")
        var header = Sample.header([])
        header.generator?.format = 2
        let writer = try ArchiveWriter(
            temporaryPath: directory.file("x.partial"), header: header, compression: .fast, workers: 1)
        try writer.finish { _ in }
        let format = try writer.publish(directory: directory.path, stem: "format") { _ in }
        let error = try #require(try Reading.failure(format.path))
        #expect(error.code == .unsupported)
        #expect(error.message.contains("has format 2") && error.message.contains("use a newer one"))
        var bytes = try Files.read(try Sample.write(Sample.small, in: directory).path)
        bytes[16] = 2
        try Files.write(bytes, to: path)
        #expect(try Reading.failure(path)?.message.contains("a newer elder-backup") == true)
    }
}

/// What this process takes.
enum Memory {
    /// The most that it ever held (`VmHWM`, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html), in bytes.
    static func peak() throws -> Int {
        let status = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
}
