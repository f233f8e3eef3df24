/// A stretch of a file that is sent as the body of a request.
public struct FileSlice: Sendable, Equatable {
    /// Of the file.
    public var path: String
    /// In bytes from the file's beginning.
    public var offset: Int64
    /// In bytes.
    public var length: Int64

    /// A stretch of a file.
    public init(path: String, offset: Int64 = 0, length: Int64) {
        self.path = path
        self.offset = offset
        self.length = length
    }
}

/// What a request sends.
public enum UploadBody: Sendable, Equatable {
    case bytes([UInt8])
    /// Read twice: for its digests, and for sending. It must not change meanwhile; where it does, the server refuses it.
    case file(FileSlice)

    /// In bytes.
    public var length: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(let slice): slice.length
        }
    }
}

/// Where the body of an answer goes.
public struct DownloadSink: Sendable {
    /// Open for writing; the caller closes it.
    public var descriptor: Int32
    /// Where in the file the body's first byte goes.
    public var offset: Int64
    /// Told after each write how many bytes of the body have arrived in this attempt. It must not block.
    public var received: @Sendable (Int64) -> Void

    /// A place in an open file.
    public init(descriptor: Int32, offset: Int64 = 0, received: @escaping @Sendable (Int64) -> Void = { _ in }) {
        self.descriptor = descriptor
        self.offset = offset
        self.received = received
    }
}
