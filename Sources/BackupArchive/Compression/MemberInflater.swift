internal import BackupCore
internal import CIgzip
internal import CLibdeflate
internal import Glibc

/// Decompresses one member at a time (RFC 1951): with libdeflate, which is faster, and where there is no room for the
/// text, to compare it only, with ISA-L. Belongs to one worker thread.
package final class MemberInflater {
    private let decompressor: OpaquePointer
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private let room = UnsafeMutableRawPointer.allocate(byteCount: MemberInflater.roomSize, alignment: 64)
    /// Ordinary members are compared in one piece.
    private static let roomSize = RowBatch.ordinaryCapacity

    package init() throws {
        guard let decompressor = libdeflate_alloc_decompressor() else {
            throw BackupError(.storage, "out of memory for a decompressor")
        }
        self.decompressor = decompressor
    }

    deinit {
        libdeflate_free_decompressor(decompressor)
        state.deallocate()
        room.deallocate()
    }

    /// Whether `data` is one whole deflate stream whose text is exactly `length` bytes, written to `output`.
    package func inflate(_ data: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, length: Int) -> Bool {
        var read = 0
        // Without a place for the length of the text, any other length is a failure.
        let result = libdeflate_deflate_decompress_ex(
            decompressor, data.baseAddress, data.count, output, length, &read, nil)
        return result == LIBDEFLATE_SUCCESS && read == data.count
    }

    /// Whether `data` is one whole deflate stream whose text is exactly `text`. Needs no memory for the text.
    package func check(_ data: UnsafeRawBufferPointer, against text: UnsafeRawBufferPointer) -> Bool {
        guard let expected = text.baseAddress, text.count <= MemberInflater.roomSize else {
            return checkPiecewise(data, against: text)
        }
        return inflate(data, into: room, length: text.count) && memcmp(room, expected, text.count) == 0
    }

    private func checkPiecewise(_ data: UnsafeRawBufferPointer, against text: UnsafeRawBufferPointer) -> Bool {
        begin(data)
        var compared = 0
        while true {
            state.pointee.next_out = room.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(MemberInflater.roomSize)
            // ISA-L returns 0 on truncated input as well: only the block state tells that the stream came to its end.
            guard isal_inflate(state) == 0 else { return false }
            let produced = MemberInflater.roomSize - Int(state.pointee.avail_out)
            guard compared + produced <= text.count, let expected = text.baseAddress,
                memcmp(room, expected + compared, produced) == 0
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
