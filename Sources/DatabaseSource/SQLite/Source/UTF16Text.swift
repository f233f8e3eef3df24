/// What a UTF-16 database's text may hold that no conversion to UTF-8 and back keeps.
enum UTF16Text {
    /// Whether little-endian UTF-16 of `count` bytes comes back unchanged after SQLite turned it into UTF-8 and back:
    /// whole units, paired surrogates, and neither U+FFFE nor U+FFFF, which SQLite replaces.
    static func survivesUTF8(_ text: UnsafeRawPointer, _ count: Int) -> Bool {
        guard count % 2 == 0 else { return false }
        var index = 0
        while index < count {
            let unit = UInt16(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            index += 2
            if unit & 0xFFFE == 0xFFFE || unit & 0xFC00 == 0xDC00 { return false }
            guard unit & 0xFC00 == 0xD800 else { continue }
            guard index < count else { return false }
            let next = UInt16(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            guard next & 0xFC00 == 0xDC00 else { return false }
            index += 2
        }
        return true
    }
}
