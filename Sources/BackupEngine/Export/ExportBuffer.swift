internal import BackupCore
internal import Glibc

/// Bytes on their way into an export, in memory that is used again and again.
final class ExportBuffer {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0
    private let take: (UnsafeRawBufferPointer) throws -> Void

    /// From here on the bytes are handed on, in bytes.
    private static let full = 256 << 10

    init(_ take: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.take = take
        capacity = ExportBuffer.full + (64 << 10)
        bytes = .allocate(capacity: capacity)
    }

    deinit { bytes.deallocate() }

    func append(_ byte: UInt8) {
        reserve(1)
        bytes[count] = byte
        count += 1
    }

    func append(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
        reserve(end - start)
        (bytes + count).update(from: text + start, count: end - start)
        count += end - start
    }

    func append(_ text: UnsafeBufferPointer<UInt8>) {
        if let base = text.baseAddress { append(base, 0, text.count) }
    }

    func append(_ text: [UInt8]) { text.withUnsafeBufferPointer { append($0) } }

    func append(_ text: StaticString) { append(text.utf8Start, 0, text.utf8CodeUnitCount) }

    /// Hands on what there is where that is much.
    func flushWhereFull() throws {
        if count >= ExportBuffer.full { try flush() }
    }

    func flush() throws {
        try take(UnsafeRawBufferPointer(start: bytes, count: count))
        count = 0
        guard capacity > 8 << 20 else { return }
        // A large row had needed it.
        bytes.deallocate()
        capacity = ExportBuffer.full + (64 << 10)
        bytes = .allocate(capacity: capacity)
    }

    private func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(count + more, capacity + capacity / 2)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        room.update(from: bytes, count: count)
        bytes.deallocate()
        bytes = room
        capacity = larger
    }
}
