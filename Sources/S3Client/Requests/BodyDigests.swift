internal import Glibc
internal import NIOPosix

/// The digests of a body, computed once for all tries, off the event loops.
enum BodyDigests {
    private static let slice = 256 << 10

    /// - Throws: ``S3Error`` of kind `file`.
    static func compute(_ body: UploadBody, _ algorithms: ContentHasher.Algorithms) async throws -> ContentDigests {
        switch body {
        case .bytes(let bytes) where bytes.count <= slice:
            return hash(bytes, algorithms)
        case .bytes(let bytes):
            return try await NIOThreadPool.singleton.runIfActive { hash(bytes, algorithms) }
        case .file(let file):
            return try await NIOThreadPool.singleton.runIfActive { try hash(file, algorithms) }
        }
    }

    private static func hash(_ bytes: [UInt8], _ algorithms: ContentHasher.Algorithms) -> ContentDigests {
        ContentHasher.digests(of: bytes, algorithms)
    }

    private static func hash(_ file: FileSlice, _ algorithms: ContentHasher.Algorithms) throws -> ContentDigests {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", file) }
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slice, alignment: 64)
        defer { buffer.deallocate() }
        var hasher = ContentHasher(algorithms)
        var done: Int64 = 0
        while done < file.length {
            let wanted = Int(min(Int64(slice), file.length - done))
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(file.offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", file) }
            guard count > 0 else {
                throw S3Error(.file, "\(file.path) is shorter than it was: it changed meanwhile")
            }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += Int64(count)
        }
        return hasher.digests()
    }

    private static func failure(_ action: String, _ file: FileSlice) -> S3Error {
        S3Error(.file, "cannot \(action) \(file.path): \(String(cString: strerror(errno)))")
    }
}
