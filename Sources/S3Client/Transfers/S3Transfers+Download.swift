internal import Glibc
internal import Synchronization

extension S3Transfers {
    /// Fetches an object into a file, several stretches at a time.
    ///
    /// What has arrived is noted in `path.progress`, so that a later call goes on where this one stopped, as long as the
    /// object is the same (its ETag, and `If-Match`). The file is complete when this returns; whether it is good is for
    /// the caller to check, who knows what it should be, as is `fsync`. `path.progress` is then gone.
    ///
    /// - Throws: ``S3Error``, or `CancellationError`.
    public func download(
        _ object: S3Object, to path: String, options read: ReadOptions = ReadOptions(),
        progress: @escaping Progress = { _, _ in }
    ) async throws -> ObjectHead {
        let head = try await client.headObject(object, options: read)
        var read = read
        if !head.etag.isEmpty { read.ifMatch = head.etag }
        let parts = TransferPart.all(ofObjectOf: head.size, partSize: options.stretch(ofObjectOf: head.size))
        let file = try PartialFile(path: path, etag: head.etag, size: head.size, parts: parts)
        try await fetch(parts.filter { !file.has($0) }, of: object, read, into: file, total: head.size, progress)
        file.finish()
        return head
    }

    /// Fetches stretches of an object into a file of the object's size, whose rest stays empty.
    ///
    /// - Parameter ranges: of the object, in bytes; in order, none touching another.
    /// - Returns: the bytes that were fetched.
    public func download(
        _ ranges: [Range<Int64>], of object: S3Object, size: Int64, to path: String,
        options read: ReadOptions = ReadOptions(), progress: @escaping Progress = { _, _ in }
    ) async throws -> Int64 {
        let partSize = options.stretch(ofObjectOf: size)
        let stretches = ranges.flatMap { range in
            TransferPart.all(ofObjectOf: range.upperBound - range.lowerBound, partSize: partSize).map {
                ($0.range.lowerBound + range.lowerBound)..<($0.range.upperBound + range.lowerBound)
            }
        }
        let parts = stretches.enumerated().map { TransferPart(number: $0.offset + 1, range: $0.element) }
        let file = try PartialFile(path: path, etag: "", size: size, parts: parts)
        let total = parts.reduce(0) { $0 + $1.length }
        try await fetch(parts, of: object, read, into: file, total: total, progress)
        file.finish()
        return total
    }

    private func fetch(
        _ parts: [TransferPart], of object: S3Object, _ read: ReadOptions, into file: PartialFile, total: Int64,
        _ progress: @escaping Progress
    ) async throws {
        let done = Mutex(total - parts.reduce(0) { $0 + $1.length })
        progress(done.withLock { $0 }, total)
        _ = try await forEach(parts) { part, gate in
            try await fetch(part, of: object, read, into: file, gate)
            try file.note(part)
            progress(
                done.withLock {
                    $0 += part.length
                    return $0
                }, total)
        }
    }

    /// A stretch that came short or other than asked for is asked for again, a few times.
    private func fetch(
        _ part: TransferPart, of object: S3Object, _ read: ReadOptions, into file: PartialFile, _ gate: ConcurrencyGate
    ) async throws {
        for attempt in 1... {
            do {
                _ = try await client.getObject(
                    object, range: part.range, options: read,
                    to: DownloadSink(descriptor: file.descriptor, offset: part.range.lowerBound),
                    throttled: { Task { await gate.throttle() } })
                return
            } catch let error as S3Error where error.kind == .integrity && attempt < 3 {
                continue
            }
        }
    }
}
