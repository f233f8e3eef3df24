internal import BackupCore
internal import CIgzip

/// Compresses a text of any length, piece by piece, into one raw deflate stream (RFC 1951), and counts what a container
/// needs to know of it: lengths and CRC-32. Not for members of archives, whose bytes must be the same every time
/// (``IgzipDeflater``).
package final class DeflateStream {
    private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    private let workspaceSize = eb_isal_workspace_size(1)
    private let workspace: UnsafeMutablePointer<UInt8>
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 64)

    /// Of the text so far, in bytes.
    package private(set) var textLength: UInt64 = 0
    /// Of what came out so far, in bytes.
    package private(set) var compressedLength: UInt64 = 0
    /// Of the text so far, as gzip and zip have it.
    package private(set) var crc32: UInt32 = 0

    package init() {
        workspace = .allocate(capacity: Int(workspaceSize))
        isal_deflate_init(stream)
        stream.pointee.level = 1
        stream.pointee.level_buf = workspace
        stream.pointee.level_buf_size = workspaceSize
    }

    deinit {
        stream.deallocate()
        workspace.deallocate()
        output.deallocate()
    }

    /// Takes the next piece of the text.
    ///
    /// - Parameters:
    ///   - text: of any length.
    ///   - isLast: whether the text ends with it; nothing may follow.
    ///   - take: given what comes out, in order.
    package func add(
        _ text: UnsafeRawBufferPointer, isLast: Bool, _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        crc32 = crc32_gzip_refl(crc32, text.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(text.count))
        textLength += UInt64(text.count)
        var rest = text
        repeat {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
            try compress(piece, isLast: isLast && rest.isEmpty, take)
        } while !rest.isEmpty
    }

    private func compress(
        _ piece: UnsafeRawBufferPointer, isLast: Bool, _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(piece.count)
        stream.pointee.end_of_stream = isLast ? 1 : 0
        while true {
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output.count)
            guard isal_deflate(stream) == 0 else {
                throw BackupError(.internal, "a text cannot be compressed; please report this")
            }
            let count = output.count - Int(stream.pointee.avail_out)
            compressedLength += UInt64(count)
            if count > 0 { try take(UnsafeRawBufferPointer(rebasing: output[..<count])) }
            let isDone = isLast ? stream.pointee.internal_state.state == ZSTATE_END : stream.pointee.avail_in == 0
            if isDone, stream.pointee.avail_out > 0 || isLast { return }
        }
    }
}
