internal import BackupCore
internal import BackupFiles
internal import CIgzip
internal import Glibc

/// The text of a file that is gzip, of one or more members (RFC 1952), or is not compressed at all.
final class PlainTextStream {
    private let file: InputFile
    private let isCompressed: Bool
    private let input = ByteBuffer(capacity: 256 * 1024)
    private var offset = 0
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private var memberIsOpen = false

    init(file: InputFile) throws {
        self.file = file
        let start = try file.bytes(at: 0, count: 2)
        isCompressed = start == [0x1F, 0x8B]
        guard isCompressed || start.first == UInt8(ascii: "{") else {
            throw BackupError(
                .damaged,
                file.size == 0 ? "the file is empty" : "the file is neither gzip nor JSON: it is not a backup")
        }
        beginMember(keepingInput: false)
    }

    deinit { state.deallocate() }

    /// Writes the next text to `output`; returns how many bytes, 0 at the end.
    func read(into output: UnsafeMutableRawPointer, count: Int) throws -> Int {
        guard isCompressed else {
            let length = try file.read(into: output, count: count, at: offset)
            offset += length
            return length
        }
        state.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(clamping: count)
        while true {
            if state.pointee.avail_in == 0, try !refill() {
                if memberIsOpen { throw damaged("the file is cut short") }
                return count - Int(state.pointee.avail_out)
            }
            if !memberIsOpen {
                guard state.pointee.next_in.pointee == 0x1F else { throw damaged("something follows the data") }
                beginMember(keepingInput: true)
                memberIsOpen = true
            }
            guard isal_inflate(state) == 0 else { throw damaged("the compressed data are damaged") }
            if state.pointee.block_state == ISAL_BLOCK_FINISH { memberIsOpen = false }
            let produced = count - Int(state.pointee.avail_out)
            if state.pointee.avail_out == 0 || (produced > 0 && state.pointee.avail_in == 0) { return produced }
        }
    }

    private func refill() throws -> Bool {
        let length = try file.read(into: input.base, count: input.capacity, at: offset)
        offset += length
        state.pointee.next_in = input.base.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_in = UInt32(length)
        return length > 0
    }

    /// Begins a gzip member whose header and trailer ISA-L reads and checks itself.
    private func beginMember(keepingInput: Bool) {
        let kept = (state.pointee.next_in, state.pointee.avail_in, state.pointee.next_out, state.pointee.avail_out)
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        if keepingInput {
            (state.pointee.next_in, state.pointee.avail_in) = (kept.0, kept.1)
            (state.pointee.next_out, state.pointee.avail_out) = (kept.2, kept.3)
        }
    }

    private func damaged(_ what: String) -> BackupError {
        BackupError(.damaged, "\(what): \(ArchiveReader.damageHint)", location: ["near byte \(offset)"])
    }
}
