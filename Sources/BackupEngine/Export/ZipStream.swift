internal import BackupArchive
internal import BackupCore

/// Writes a zip file (APPNOTE.TXT 6.3.10) from front to back, without knowing how long its files will be: their lengths
/// follow them, in 64 bits, and are told again at the end.
final class ZipStream {
    private struct Entry {
        var name: [UInt8]
        var time: (date: UInt16, time: UInt16)
        var offset: UInt64
        var crc32: UInt32 = 0
        var length: UInt64 = 0
        var compressedLength: UInt64 = 0
    }

    private let take: (UnsafeRawBufferPointer) throws -> Void
    private var entries: [Entry] = []
    private var deflate: DeflateStream?
    private var offset: UInt64 = 0

    /// Names are UTF-8, and lengths follow the data.
    private static let flags: UInt16 = 1 << 11 | 1 << 3
    private static let deflated: UInt16 = 8
    /// Needs an unpacker that knows 64-bit lengths.
    private static let version: UInt16 = 45
    /// Readable by its owner alone, once unpacked.
    private static let permissions: UInt32 = 0o100600 << 16

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.take = take }

    func beginFile(_ name: String, at time: Timestamp) throws {
        let entry = Entry(name: Array(name.utf8), time: ZipStream.dosTime(time), offset: offset)
        entries.append(entry)
        deflate = DeflateStream()
        var header = LittleEndianBytes()
        header.append(UInt32(0x0403_4B50))
        header.append(ZipStream.version)
        header.append(ZipStream.flags)
        header.append(ZipStream.deflated)
        header.append(entry.time.time)
        header.append(entry.time.date)
        header.append(UInt32(0))
        header.append(UInt32.max)
        header.append(UInt32.max)
        header.append(UInt16(entry.name.count))
        header.append(UInt16(20))
        header.bytes += entry.name
        header.append(UInt16(1))
        header.append(UInt16(16))
        header.append(UInt64(0))
        header.append(UInt64(0))
        try put(header)
    }

    func write(_ text: UnsafeRawBufferPointer) throws {
        try deflate?.add(text, isLast: false) { try put($0) }
    }

    func endFile() throws {
        guard let deflate, var entry = entries.popLast() else {
            throw BackupError(.internal, "a file of a zip file ended that was not begun")
        }
        try deflate.add(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { try put($0) }
        self.deflate = nil
        entry.crc32 = deflate.crc32
        entry.length = deflate.textLength
        entry.compressedLength = deflate.compressedLength
        entries.append(entry)
        var descriptor = LittleEndianBytes()
        descriptor.append(UInt32(0x0807_4B50))
        descriptor.append(entry.crc32)
        descriptor.append(entry.compressedLength)
        descriptor.append(entry.length)
        try put(descriptor)
    }

    /// Writes the directory of what is in the file.
    func end() throws {
        let start = offset
        for entry in entries { try put(ZipStream.directoryEntry(entry)) }
        let size = offset - start
        var tail = LittleEndianBytes()
        if entries.count >= 0xFFFF || start >= 0xFFFF_FFFF || size >= 0xFFFF_FFFF {
            appendLargeEnd(start: start, size: size, to: &tail)
        }
        let count = UInt16(clamping: entries.count)
        tail.append(UInt32(0x0605_4B50))
        tail.append(UInt16(0))
        tail.append(UInt16(0))
        tail.append(count)
        tail.append(count)
        tail.append(UInt32(clamping: size))
        tail.append(UInt32(clamping: start))
        tail.append(UInt16(0))
        try put(tail)
    }

    private func appendLargeEnd(start: UInt64, size: UInt64, to tail: inout LittleEndianBytes) {
        tail.append(UInt32(0x0606_4B50))
        tail.append(UInt64(44))
        tail.append(3 << 8 | ZipStream.version)
        tail.append(ZipStream.version)
        tail.append(UInt32(0))
        tail.append(UInt32(0))
        tail.append(UInt64(entries.count))
        tail.append(UInt64(entries.count))
        tail.append(size)
        tail.append(start)
        tail.append(UInt32(0x0706_4B50))
        tail.append(UInt32(0))
        tail.append(start + size)
        tail.append(UInt32(1))
    }

    private static func directoryEntry(_ entry: Entry) -> LittleEndianBytes {
        // The three numbers that may be too large for their fields, each told in the extra field where it is.
        let numbers = [entry.length, entry.compressedLength, entry.offset]
        let large = numbers.filter { $0 >= 0xFFFF_FFFF }
        var bytes = LittleEndianBytes()
        bytes.append(UInt32(0x0201_4B50))
        bytes.append(3 << 8 | version)
        bytes.append(version)
        bytes.append(flags)
        bytes.append(deflated)
        bytes.append(entry.time.time)
        bytes.append(entry.time.date)
        bytes.append(entry.crc32)
        bytes.append(UInt32(clamping: entry.compressedLength))
        bytes.append(UInt32(clamping: entry.length))
        bytes.append(UInt16(entry.name.count))
        bytes.append(UInt16(large.isEmpty ? 0 : 4 + 8 * large.count))
        bytes.append(UInt16(0))
        bytes.append(UInt16(0))
        bytes.append(UInt16(0))
        bytes.append(permissions)
        bytes.append(UInt32(clamping: entry.offset))
        bytes.bytes += entry.name
        if !large.isEmpty {
            bytes.append(UInt16(1))
            bytes.append(UInt16(8 * large.count))
            for number in large { bytes.append(number) }
        }
        return bytes
    }

    private static func dosTime(_ moment: Timestamp) -> (date: UInt16, time: UInt16) {
        let civil = moment.civil
        let seconds = moment.microseconds / 1_000_000 % 60
        guard (1980...2107).contains(civil.year) else { return (0x21, 0) }
        return (
            UInt16(civil.year - 1980) << 9 | UInt16(civil.month) << 5 | UInt16(civil.day),
            UInt16(civil.hour) << 11 | UInt16(civil.minute) << 5 | UInt16(seconds / 2)
        )
    }

    private func put(_ bytes: LittleEndianBytes) throws { try bytes.bytes.withUnsafeBytes { try put($0) } }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        offset += UInt64(bytes.count)
        try take(bytes)
    }
}

/// Numbers as zip files have them.
private struct LittleEndianBytes {
    var bytes: [UInt8] = []

    mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }
}
