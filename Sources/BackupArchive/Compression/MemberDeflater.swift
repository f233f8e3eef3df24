package import BackupCore
internal import CIgzip
internal import CLibdeflate
internal import Glibc

/// A growing stretch of memory that is used again and again.
final class ByteBuffer: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private let ordinaryCapacity: Int

    /// - Parameter capacity: in bytes; what it shrinks back to.
    init(capacity: Int) {
        ordinaryCapacity = capacity
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { base.deallocate() }

    /// Makes room for `size` bytes. What was in it is lost.
    func require(_ size: Int) {
        guard size > capacity else { return }
        replace(with: size)
    }

    /// Gives memory back that something large had needed.
    func shrink() {
        guard capacity > ordinaryCapacity else { return }
        replace(with: ordinaryCapacity)
    }

    private func replace(with size: Int) {
        base.deallocate()
        base = .allocate(byteCount: size, alignment: 64)
        capacity = size
    }
}

/// Compresses one member at a time (RFC 1951). Belongs to one worker thread.
package protocol MemberDeflater: AnyObject {
    /// The size that the compressed form of `length` bytes never exceeds.
    func bound(_ length: Int) -> Int
    /// Compresses `text` into `output`; returns the compressed length, or nil where `capacity` did not suffice.
    func deflate(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, capacity: Int) -> Int?
}

extension CompressionLevel {
    package func makeDeflater() throws -> any MemberDeflater {
        switch self {
        case .fast: IgzipDeflater(level: 1)
        case .balanced: try LibdeflateDeflater(level: 5)
        case .small: try LibdeflateDeflater(level: 9)
        }
    }
}

/// ISA-L's igzip (https://github.com/intel/isa-l, `igzip_lib.h`).
package final class IgzipDeflater: MemberDeflater {
    private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    private let level: UInt32
    private let workspaceSize: UInt32
    private let workspace: UnsafeMutablePointer<UInt8>
    private let dictionary = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

    /// Where a text starts without history, ISA-L 2.30 hashes what a register happens to hold, the address of its own
    /// `isal_zstream`, in place of the text's third position: the same text then gives other bytes at another address.
    /// A history of one byte keeps it off that path. No match can reach the byte, since UTF-8 has no 0xFF, so that the
    /// output is plain deflate which needs no dictionary.
    private static let byteThatNoTextHolds: UInt8 = 0xFF

    /// - Parameter level: from 0 to 3.
    package init(level: UInt32) {
        self.level = level
        workspaceSize = eb_isal_workspace_size(level)
        workspace = .allocate(capacity: max(1, Int(workspaceSize)))
        dictionary.initialize(to: IgzipDeflater.byteThatNoTextHolds)
    }

    deinit {
        stream.deallocate()
        workspace.deallocate()
        dictionary.deallocate()
    }

    /// Deflate stores what it cannot compress, at five bytes for each block; ISA-L's blocks are no smaller than 16 KiB.
    package func bound(_ length: Int) -> Int { length + length / 256 + 4096 }

    package func deflate(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, capacity: Int
    ) -> Int? {
        isal_deflate_init(stream)
        stream.pointee.level = level
        stream.pointee.level_buf = workspaceSize > 0 ? workspace : nil
        stream.pointee.level_buf_size = workspaceSize
        stream.pointee.end_of_stream = 1
        stream.pointee.flush = 0
        stream.pointee.gzip_flag = 0
        guard isal_deflate_set_dict(stream, dictionary, 1) == 0 else { return nil }
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: text.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(text.count)
        stream.pointee.next_out = output.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: capacity)
        let status = isal_deflate(stream)
        guard status == 0, stream.pointee.internal_state.state == ZSTATE_END, stream.pointee.avail_in == 0 else {
            return nil
        }
        return Int(stream.pointee.total_out)
    }
}

/// libdeflate (https://github.com/ebiggers/libdeflate).
package final class LibdeflateDeflater: MemberDeflater {
    private let compressor: OpaquePointer

    /// - Parameter level: from 1 to 12.
    package init(level: Int32) throws {
        guard let compressor = libdeflate_alloc_compressor(level) else {
            throw BackupError(.storage, "out of memory for a compressor")
        }
        self.compressor = compressor
    }

    deinit { libdeflate_free_compressor(compressor) }

    package func bound(_ length: Int) -> Int { libdeflate_deflate_compress_bound(compressor, length) }

    package func deflate(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer, capacity: Int
    ) -> Int? {
        let length = libdeflate_deflate_compress(compressor, text.baseAddress, text.count, output, capacity)
        return length == 0 ? nil : length
    }
}
