internal import BackupCore
internal import BackupFiles

/// An archive's text, as `zcat` would give it, with every member checked.
package enum ArchiveText {
    /// Hands the whole text on, piece by piece.
    package static func read(path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let archive = try ArchiveReader.open(path: path)
        do {
            switch archive.form {
            case .plain: try readPlain(archive, body)
            case .members: try readMembers(archive, body)
            }
        } catch let error as BackupError where error.code == .damaged {
            throw error.located("archive \(path)")
        }
    }

    private static func readPlain(_ archive: ArchiveReader, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let stream = try PlainTextStream(file: archive.file)
        let buffer = ByteBuffer(capacity: 256 * 1024)
        while true {
            let count = try stream.read(into: buffer.base, count: buffer.capacity)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(start: buffer.base, count: count))
        }
    }

    private static func readMembers(_ archive: ArchiveReader, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var walker = MemberWalker(file: archive.file, offset: 0)
        let member = ByteBuffer(capacity: MemberBoundary.largest)
        let text = ByteBuffer(capacity: RowBatch.ordinaryCapacity)
        let decompressor = try MemberDecompressor()
        var last: MemberHeader?
        while let header = try walker.nextHeader() {
            let offset = walker.offset
            try walker.read(header, into: member)
            try decompressor.checkIntact(member.base, header, at: offset)
            text.require(Int(header.textLength))
            try decompressor.decompress(member.base, header, at: offset, into: text.base)
            try body(UnsafeRawBufferPointer(start: text.base, count: Int(header.textLength)))
            last = header
        }
        guard last?.kind == .summary else {
            throw walker.damaged("the summary is missing: the archive is not complete")
        }
    }
}
