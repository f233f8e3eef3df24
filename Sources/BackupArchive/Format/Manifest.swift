package import BackupCore
internal import BackupFiles
internal import CXXHash

/// What stands beside an archive and makes it count: its size and digests, and where each table lies in it.
package struct Manifest: Sendable {
    package struct Table: Sendable {
        package var description: TableDescription
        package var totals: TableTotals
        /// Where the table's first member begins in the archive, in bytes.
        package var offset: Int
        /// Of all its members, in bytes.
        package var length: Int
        package var memberCount: Int
        /// Over the list of members, to compare with the members themselves without keeping the list.
        var members: MemberListDigest
    }

    package var path: String
    package var header: ArchiveHeader
    package var tables: [Table]
    /// The archive's name when it was written. A copy may be called something else.
    package var archiveName: String
    package var archiveSize: Int
    package var archiveSHA256: String
    package var recordCount: Int64
}

extension Manifest {
    /// The manifest that stands beside an archive; nil where there is none. The archive need not be there.
    ///
    /// - Throws: `damaged` where it is not exactly as it was written.
    package static func read(besideArchive archive: String) throws -> Manifest? {
        try ManifestReader.read(besideArchive: archive)
    }
}

/// A digest over a list of members, in order.
struct MemberListDigest: Sendable, Equatable {
    private(set) var value: UInt64 = 0

    mutating func add(offset: Int, length: Int, rows: Int, crc32: UInt32) {
        let words = (UInt64(offset), UInt64(length), UInt64(rows), UInt64(crc32))
        value = withUnsafeBytes(of: words) { XXH3_64bits_withSeed($0.baseAddress, $0.count, value) }
    }
}

/// Reads a manifest line by line: only what ``ManifestWriter`` wrote, byte for byte.
struct ManifestReader {
    private let file: InputFile
    /// No line is longer, in bytes; the longest describe tables of thousands of columns.
    private static let longestLine = 16 << 20

    /// The manifest that stands beside an archive; nil where there is none.
    ///
    /// - Throws: `damaged` where it is not exactly as it was written.
    static func read(besideArchive archive: String) throws -> Manifest? {
        let path = archive + ManifestWriter.suffix
        guard FileOperations.exists(path) else { return nil }
        do {
            let reader = ManifestReader(file: try InputFile(path: path))
            try reader.checkOwnDigest()
            return try reader.parse(path: path)
        } catch let error as BackupError where error.code == .damaged {
            throw error.located("manifest \(path)")
        }
    }

    private static let hint =
        "the manifest was altered or cut short; if the archive is good, "
        + "\"elder-backup archive reindex\" makes a new one"

    private func checkOwnDigest() throws {
        let closingLength = ManifestWriter.closing(digest: String(repeating: "0", count: 64)).count
        guard file.size > closingLength else { throw BackupError(.damaged, ManifestReader.hint) }
        var digest = FileDigest()
        var offset = 0
        let bodyLength = file.size - closingLength
        while offset < bodyLength {
            let piece = try file.bytes(at: offset, count: min(256 * 1024, bodyLength - offset))
            guard !piece.isEmpty else { throw BackupError(.damaged, ManifestReader.hint) }
            piece.withUnsafeBytes { digest.update($0) }
            offset += piece.count
        }
        let closing = try file.bytes(at: bodyLength, count: closingLength)
        guard closing == ManifestWriter.closing(digest: digest.hexadecimal) else {
            throw BackupError(.damaged, ManifestReader.hint)
        }
    }

    private func parse(path: String) throws -> Manifest {
        var lines = LineReader(file: file, longest: ManifestReader.longestLine)
        guard try lines.next() == Array("{".utf8), try lines.next() == Array("\"manifest_version\": 1,".utf8) else {
            throw BackupError(.unsupported, "\(path) is a manifest of another version; use a newer elder-backup")
        }
        var head = Array("{".utf8)
        while let line = try lines.next(), line != Array("\"tables\": [".utf8) { head += line }
        guard head.last == UInt8(ascii: ",") else { throw BackupError(.damaged, "the manifest has no head") }
        head[head.count - 1] = UInt8(ascii: "}")
        let header = try ArchiveHeader(topLevel: try JSONSlices(object: head))

        var tables: [Manifest.Table] = []
        while let line = try lines.next(), line != Array("],".utf8) {
            tables.append(try parseTable(opening: line, &lines))
        }
        var tail = Array("{".utf8)
        while let line = try lines.next() { tail += line }
        let members = try JSONSlices(object: tail)
        guard let name = members["archive"].flatMap(JSONSlices.string),
            let size = members["archive_size"].flatMap({ Int(String(decoding: $0, as: UTF8.self)) }),
            let count = members["record_count"].flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }),
            let sha256 = members["archive_sha256"].flatMap(JSONSlices.string)
        else { throw BackupError(.damaged, "the manifest lacks the archive's name, size or digest") }
        return Manifest(
            path: path, header: header, tables: tables, archiveName: name, archiveSize: size, archiveSHA256: sha256,
            recordCount: count)
    }

    private struct Closing: Decodable {
        var offset: Int
        var length: Int
        var rows: Int64
        var digest: String
    }

    private func parseTable(opening: [UInt8], _ lines: inout LineReader) throws -> Manifest.Table {
        let description = try JSONValue.decode(TableDescription.self, opening + Array("]}".utf8))
        var members = MemberListDigest()
        var memberCount = 0
        while let line = try lines.next() {
            if line.first == UInt8(ascii: "[") {
                let numbers = try ManifestReader.numbers(line)
                members.add(
                    offset: numbers[0], length: numbers[1], rows: numbers[2], crc32: UInt32(clamping: numbers[3]))
                memberCount += 1
                continue
            }
            var text = line
            if text.last == UInt8(ascii: ",") { text.removeLast() }
            guard text.starts(with: Array("],".utf8)) else { break }
            let closing = try JSONValue.decode(Closing.self, Array("{".utf8) + text.dropFirst(2))
            guard let digest = TableDigest(hexadecimal: closing.digest) else { break }
            return Manifest.Table(
                description: description,
                totals: TableTotals(name: description.name, rows: closing.rows, digest: digest),
                offset: closing.offset, length: closing.length, memberCount: memberCount, members: members)
        }
        throw BackupError(.damaged, "the manifest's entry of table \"\(description.name)\" is malformed")
    }

    /// The four numbers of `[a,b,c,d]`, with or without a comma behind.
    private static func numbers(_ line: [UInt8]) throws -> [Int] {
        let inner = line.dropFirst().prefix { $0 != UInt8(ascii: "]") }
        let numbers = inner.split(separator: UInt8(ascii: ",")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }) else {
            throw BackupError(.damaged, "the manifest's list of members is malformed")
        }
        return numbers
    }
}

/// A file's lines, one at a time.
private struct LineReader {
    let file: InputFile
    let longest: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var offset = 0

    init(file: InputFile, longest: Int) {
        self.file = file
        self.longest = longest
    }

    /// The next line without its end; nil behind the last one.
    mutating func next() throws -> [UInt8]? {
        while true {
            if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return Array(buffer[position..<end])
            }
            buffer.removeSubrange(..<position)
            position = 0
            guard buffer.count <= longest else { throw BackupError(.damaged, "the manifest has a line without end") }
            let piece = try file.bytes(at: offset, count: min(256 * 1024, file.size - offset))
            if piece.isEmpty { return nil }
            buffer += piece
            offset += piece.count
        }
    }
}
