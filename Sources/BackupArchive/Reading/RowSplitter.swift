internal import BackupCore
internal import Glibc

/// A worker's part of a reading: from a member's bytes to rows with their places and digest.
enum RowSplitter {
    static func work(on slot: ReadSlot, with decompressor: MemberDecompressor) throws {
        guard let header = slot.header else { return }
        slot.batch.reset()
        try decompressor.checkIntact(slot.member.base, header, at: slot.offset)
        slot.batch.reserve(Int(header.textLength))
        try decompressor.decompress(slot.member.base, header, at: slot.offset, into: slot.batch.bytes)
        slot.batch.count = Int(header.textLength)
        guard case .rows = slot.kind else { return }
        guard split(slot, header) else {
            throw BackupError(
                .damaged, "the text of the member is not laid out as rows: \(ArchiveReader.damageHint)",
                location: ["table \"\(slot.table)\"", "byte \(slot.offset)"])
        }
        do {
            try slot.stage?.process(slot.batch, slot.stageBuffer())
        } catch let error as BackupError {
            throw error.located("table \"\(slot.table)\"")
        }
    }

    /// Finds the rows by their line breaks, which occur nowhere else, and demands every byte in between.
    private static func split(_ slot: ReadSlot, _ header: MemberHeader) -> Bool {
        let batch = slot.batch
        let text = batch.bytes.assumingMemoryBound(to: UInt8.self)
        let end = batch.count
        var index = 0
        func take(_ expected: [UInt8]) -> Bool {
            guard index + expected.count <= end,
                expected.elementsEqual(
                    UnsafeBufferPointer(
                        start: text + index, count: expected.count))
            else { return false }
            index += expected.count
            return true
        }
        if header.opensTable, !take(MemberText.opening(of: slot.table, isFirst: slot.isFirstTable)) { return false }
        let rowCount = Int(header.rowCount)
        for row in 0..<rowCount {
            if row > 0 || !header.opensTable {
                guard index < end, text[index] == UInt8(ascii: ",") else { return false }
                index += 1
            }
            guard index + 2 < end, text[index] == UInt8(ascii: "\n"), text[index + 1] == UInt8(ascii: "{") else {
                return false
            }
            index += 1
            let isLast = row == rowCount - 1
            let lineEnd = memchr(text + index, 0x0A, end - index).map { $0 - UnsafeMutableRawPointer(text) } ?? end
            let rowEnd = isLast ? lineEnd : lineEnd - 1
            guard rowEnd > index, text[rowEnd - 1] == UInt8(ascii: "}") else { return false }
            batch.addRow(start: index, end: rowEnd)
            index = rowEnd
        }
        if header.closesTable, !take(MemberText.closing) { return false }
        return index == end
    }
}
