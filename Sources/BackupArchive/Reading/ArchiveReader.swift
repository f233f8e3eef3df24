package import BackupCore
internal import BackupFiles

/// Reads an archive: ours by its members, in parallel, checking every byte; anything else as one stream of JSON.
package struct ArchiveReader: Sendable {
    /// Who can have written an archive.
    package enum Form: Sendable, Equatable {
        /// This program: members with lengths, digests, a summary.
        case members
        /// Elder, or any other program that writes its format.
        case plain
    }

    package let path: String
    package let form: Form
    /// In bytes.
    package var size: Int { file.size }
    /// What stands in front of the tables. Of the plain form only what an export says of its tables is known before
    /// everything was read.
    package let header: ArchiveHeader
    /// The manifest beside the archive, where there is one.
    package let manifest: Manifest?

    let file: InputFile
    /// Where the first member with rows, or the summary, begins.
    let preambleEnd: Int

    /// What a whole reading found.
    package struct Findings: Sendable {
        package var tables: [TableTotals] = []
        /// Of the file, in lower-case hexadecimal digits; nil where only some of its members were read.
        package var sha256: String?
        /// The identity of an archive in the plain form, known only now.
        package var header: ArchiveHeader
        package var recordCount: Int64 { tables.reduce(0) { $0 + $1.rows } }
    }

    /// Opens an archive, reads its head and its manifest, and compares the two.
    ///
    /// - Parameter usingManifest: false leaves the manifest aside, as `archive reindex` must.
    /// - Throws: `notFound`, `storage`, `damaged`, `unsupported`.
    package static func open(path: String, usingManifest: Bool = true) throws -> ArchiveReader {
        let file = try InputFile(path: path)
        do {
            let manifest = usingManifest ? try ManifestReader.read(besideArchive: path) : nil
            let start = try file.bytes(at: 0, count: MemberHeader.length)
            if let version = MemberHeader.otherVersion(start) {
                throw BackupError(
                    .damaged,
                    "its members have the layout \(version), and this program reads layout 1: a newer elder-backup "
                        + "wrote it, or \(damageHint)")
            }
            guard MemberHeader.isOurs(start) else {
                guard manifest == nil else {
                    throw BackupError(
                        .damaged,
                        "it has a manifest, yet does not begin as elder-backup's archives do: \(damageHint)")
                }
                return ArchiveReader(
                    path: path, form: .plain, header: try PlainPreamble.read(file), manifest: nil, file: file,
                    preambleEnd: 0)
            }
            let (preamble, end) = try MemberWalker.readPreamble(of: file)
            let header = try ArchiveHeader(preamble: preamble)
            guard header.generator != nil else {
                throw BackupError(.damaged, "the archive does not tell who wrote it: \(damageHint)")
            }
            if let manifest { try ManifestCheck.compare(manifest, header, archiveSize: file.size) }
            return ArchiveReader(
                path: path, form: .members, header: header, manifest: manifest, file: file, preambleEnd: end)
        } catch let error as BackupError {
            throw error.located("archive \(path)")
        }
    }

    static let damageHint = "the file was altered or cut short; use another copy or an earlier backup"

    /// Reads tables and hands their rows on. Returns only when everything that was read is as it was written.
    ///
    /// - Parameters:
    ///   - tables: the names of the tables to read; all, and every byte of the file, when nil.
    ///   - workers: threads that decompress.
    /// - Throws: `damaged` and what the consumer throws.
    package func read(tables: Set<ExactName>?, workers: Int, consumer: any ArchiveConsumer) throws -> Findings {
        do {
            switch form {
            case .members:
                let known = header.tables.map(\.name).exactNames
                try ArchiveReader.refuse(unknown: tables?.subtracting(known) ?? [])
                return try readMembers(tables: tables, workers: workers, consumer: consumer)
            case .plain:
                return try readPlain(tables: tables, workers: workers, consumer: consumer)
            }
        } catch let error as BackupError where error.code == .damaged {
            throw error.located("archive \(path)")
        }
    }

    static func refuse(unknown tables: Set<ExactName>) throws {
        guard !tables.isEmpty else { return }
        let names = tables.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
        throw BackupError(.notFound, "the archive holds no table \(names); \"elder-backup show\" lists what it holds")
    }
}

/// What a manifest and an archive must agree on before any row is read.
enum ManifestCheck {
    static func compare(_ manifest: Manifest, _ header: ArchiveHeader, archiveSize: Int) throws {
        guard manifest.archiveSize == archiveSize else {
            throw BackupError(
                .damaged,
                "it has \(archiveSize) bytes, its manifest says \(manifest.archiveSize): \(ArchiveReader.damageHint)")
        }
        guard manifest.header.generator == header.generator, manifest.header.timestamp == header.timestamp,
            manifest.header.jobID == header.jobID, manifest.header.jobName == header.jobName,
            manifest.header.version == header.version, manifest.header.source == header.source,
            manifest.tables.map(\.description) == header.tables
        else {
            throw BackupError(.damaged, "its manifest belongs to another archive: \(ArchiveReader.damageHint)")
        }
        guard manifest.recordCount == manifest.tables.reduce(0, { $0 &+ $1.totals.rows }) else {
            throw BackupError(.damaged, "its manifest contradicts itself in the number of records")
        }
    }
}
