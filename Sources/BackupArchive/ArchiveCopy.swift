internal import BackupCore
package import BackupFiles
internal import Glibc

/// Moving archives about as files, each with its manifest.
package enum ArchiveCopy {
    /// Copies an archive and its manifest. The copy has its name only once it is complete and its digest was checked;
    /// a file that is there is never replaced.
    ///
    /// - Parameter expectedSHA256: of the archive, in hexadecimal digits; the manifest's when nil.
    package static func copy(
        _ source: String, to destination: String, expectedSHA256: String?, step: () throws -> Void
    ) throws {
        let manifest = try ManifestReader.read(besideArchive: source)
        for path in [destination, destination + ManifestWriter.suffix] where FileOperations.exists(path) {
            throw BackupError(.storage, "\(path) exists already; name a file that does not, or remove it")
        }
        let archive = try OutputFile(temporaryPath: "\(destination).\(getpid()).partial")
        let digest = try stream(try InputFile(path: source), to: archive, step)
        if let expected = expectedSHA256 ?? manifest?.archiveSHA256, expected != digest {
            throw BackupError(
                .damaged,
                "archive \(source) has the SHA-256 \(digest), and should have \(expected): "
                    + ArchiveReader.damageHint)
        }
        let manifestCopy = try manifest.map { manifest in
            let copy = try OutputFile(temporaryPath: "\(destination + ManifestWriter.suffix).\(getpid()).partial")
            _ = try stream(try InputFile(path: manifest.path), to: copy, step)
            return copy
        }
        try place(archive, manifestCopy, at: destination)
    }

    /// Removes an archive, its manifest first: what has no manifest does not count.
    package static func remove(_ path: String) throws {
        try FileOperations.remove(path + ManifestWriter.suffix)
        try FileOperations.remove(path)
        let directory = FileOperations.directory(of: path)
        if FileOperations.exists(directory) { try FileOperations.syncDirectory(directory) }
    }

    /// Whether a manifest stands beside an archive.
    package static func hasManifest(_ path: String) -> Bool { FileOperations.exists(path + ManifestWriter.suffix) }

    /// The SHA-256 of a file, in lower-case hexadecimal digits.
    package static func sha256(of path: String) throws -> String {
        try sha256(of: try InputFile(path: path)) {}
    }

    /// The same of an open file; `step` is called often, and ends the reading by throwing.
    package static func sha256(of file: InputFile, step: () throws -> Void) throws -> String {
        var digest = FileDigest()
        let buffer = ByteBuffer(capacity: 256 * 1024)
        while digest.count < file.size {
            try step()
            let count = try file.read(into: buffer.base, count: buffer.capacity, at: digest.count)
            if count == 0 { break }
            digest.update(UnsafeRawBufferPointer(start: buffer.base, count: count))
        }
        return digest.hexadecimal
    }

    private static func stream(
        _ source: InputFile, to output: OutputFile, _ step: () throws -> Void
    ) throws -> String {
        var digest = FileDigest()
        let buffer = ByteBuffer(capacity: 256 * 1024)
        while digest.count < source.size {
            try step()
            let count = try source.read(into: buffer.base, count: buffer.capacity, at: digest.count)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(start: buffer.base, count: count)
            digest.update(bytes)
            try output.write(bytes)
        }
        try output.sync()
        return digest.hexadecimal
    }

    /// Gives both files their names, or neither.
    private static func place(_ archive: OutputFile, _ manifest: OutputFile?, at path: String) throws {
        try place(archive, path)
        let manifestPath = path + ManifestWriter.suffix
        var hasManifest = false
        do {
            if let manifest {
                try place(manifest, manifestPath)
                hasManifest = true
            }
            try FileOperations.syncDirectory(FileOperations.directory(of: path))
        } catch {
            if hasManifest { try? FileOperations.remove(manifestPath) }
            try? FileOperations.remove(path)
            throw error
        }
    }

    private static func place(_ file: OutputFile, _ path: String) throws {
        guard try file.rename(to: path) else { throw BackupError(.storage, "\(path) appeared meanwhile") }
    }
}
