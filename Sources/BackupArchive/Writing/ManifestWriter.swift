internal import BackupCore
internal import BackupFiles

/// Writes a manifest as its archive grows, so that an archive of any size costs no memory
/// (`docs/archive-format.md`, "Manifest").
final class ManifestWriter {
    static let suffix = ".manifest.json"

    private let file: OutputFile
    private var digest = FileDigest()
    private var buffer: [UInt8] = []
    private var tableCount = 0
    private var membersInTable = 0
    private var tableOffset = 0
    private var tableEnd = 0

    init(temporaryPath: String, header: ArchiveHeader) throws {
        file = try OutputFile(temporaryPath: temporaryPath)
        append("{\n\"manifest_version\": 1,\n")
        buffer += try header.identityLines()
        append("\"tables\": [")
    }

    func beginTable(_ table: TableDescription) throws {
        append(tableCount == 0 ? "\n{\"name\":" : ",\n{\"name\":")
        JSONBuilder.append(string: table.name, to: &buffer)
        append(",\"columns\":")
        buffer += try JSONValue.encode(table.columns)
        if let rowidKey = table.rowidKey {
            append(",\"rowid_key\":")
            JSONBuilder.append(string: rowidKey, to: &buffer)
        }
        append(",\"members\":[")
        tableCount += 1
        membersInTable = 0
    }

    func addMember(offset: Int, length: Int, rows: Int, crc32: UInt32) throws {
        if membersInTable == 0 { tableOffset = offset }
        tableEnd = offset + length
        append((membersInTable == 0 ? "\n" : ",\n") + "[\(offset),\(length),\(rows),\(crc32)]")
        membersInTable += 1
        if buffer.count >= 64 * 1024 { try flush() }
    }

    func endTable(_ totals: TableTotals) throws {
        append("\n],\"offset\":\(tableOffset),\"length\":\(tableEnd - tableOffset)")
        append(",\"rows\":\(totals.rows),\"digest\":\"\(totals.digest.hexadecimal)\"}")
        try flush()
    }

    /// Writes the rest and makes it durable.
    func finish(archiveName: String, archiveSize: Int, archiveSHA256: String, recordCount: Int64) throws {
        append("\n],\n\"archive\": ")
        JSONBuilder.append(string: archiveName, to: &buffer)
        append(",\n\"record_count\": \(recordCount),\n\"archive_size\": \(archiveSize),\n")
        append("\"archive_sha256\": \"\(archiveSHA256)\"")
        try flush()
        buffer = ManifestWriter.closing(digest: digest.hexadecimal)
        try flush()
        try file.sync()
    }

    /// Gives the manifest its name: from here on the backup counts.
    func rename(to path: String) throws -> Bool { try file.rename(to: path) }

    /// Gives the manifest its name in place of an older one of the same archive.
    func replace(_ path: String) throws { try file.replace(path) }

    /// Removes it unless it was given its name.
    func discard() { file.discard() }

    /// The end of a manifest whose bytes up to here have this digest.
    static func closing(digest: String) -> [UInt8] {
        Array(",\n\"manifest_sha256\": \"\(digest)\"\n}\n".utf8)
    }

    private func append(_ text: String) { buffer += Array(text.utf8) }

    private func flush() throws {
        try buffer.withUnsafeBytes { bytes in
            digest.update(bytes)
            try file.write(bytes)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
