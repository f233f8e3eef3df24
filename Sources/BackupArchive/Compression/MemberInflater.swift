internal import CIgzip
internal import Glibc

/// Decompresses one member at a time (RFC 1951) with ISA-L. Belongs to one worker thread.
final class MemberInflater {
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private let window = UnsafeMutableRawPointer.allocate(byteCount: MemberInflater.windowSize, alignment: 64)
    private static let windowSize = 64 * 1024

    deinit {
        state.deallocate()
        window.deallocate()
    }

    /// Whether `data` is one whole deflate stream whose text is exactly `length` bytes, written to `output`.
    func inflate(_ data: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, length: Int) -> Bool {
        begin(data)
        state.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(length)
        // ISA-L returns 0 on truncated input as well: only the block state tells that the stream came to its end.
        return isal_inflate(state) == 0 && isFinished && state.pointee.avail_out == 0
    }

    /// Whether `data` is one whole deflate stream whose text is exactly `text`. Needs no memory for the text.
    func check(_ data: UnsafeRawBufferPointer, against text: UnsafeRawBufferPointer) -> Bool {
        begin(data)
        var compared = 0
        while true {
            state.pointee.next_out = window.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(MemberInflater.windowSize)
            guard isal_inflate(state) == 0 else { return false }
            let produced = MemberInflater.windowSize - Int(state.pointee.avail_out)
            guard compared + produced <= text.count, let expected = text.baseAddress,
                memcmp(window, expected + compared, produced) == 0
            else { return false }
            compared += produced
            if isFinished { return compared == text.count }
            if produced == 0 { return false }
        }
    }

    private func begin(_ data: UnsafeRawBufferPointer) {
        isal_inflate_init(state)
        state.pointee.crc_flag = 0
        state.pointee.next_in = UnsafeMutablePointer(
            mutating: data.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(data.count)
    }

    private var isFinished: Bool {
        state.pointee.block_state == ISAL_BLOCK_FINISH && state.pointee.avail_in == 0
    }
}

enum GzipChecksum {
    /// The CRC-32 of gzip's trailer (RFC 1952, section 8).
    static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        crc32_gzip_refl(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
