internal import BackupArchive
internal import BackupCore
internal import Glibc
internal import S3Client
internal import Synchronization

extension RemoteStore {
    /// Told how many bytes of how many have come.
    typealias Progress = @Sendable (_ done: Int64, _ total: Int64) -> Void

    /// How much is asked for at one time, in bytes, where what comes goes through memory.
    private static let chunk: Int64 = 4 << 20
    private static let chunksInFlight = 4

    /// Fetches a copy's archive into a file. What has come stays for the next try where this one fails.
    ///
    /// - Throws: ``ArchivedObject`` where it must be asked back from an archive first.
    func fetchArchive(_ copy: RemoteCopy, to path: String, progress: @escaping Progress) async throws {
        let source = object(copy)
        let head = try await reading(copy, source) {
            try await transfers.download(
                source, to: path, options: readOptions(copy, versionID: copy.versionID), progress: progress)
        }
        received.add(head.size, ordering: .relaxed)
    }

    /// Fetches a copy's manifest into a file; false where it has none.
    func fetchManifest(_ copy: RemoteCopy, to path: String) async throws -> Bool {
        let source = manifest(copy)
        do {
            let head = try await transfers.download(
                source, to: path, options: readOptions(copy, versionID: copy.manifestVersionID))
            received.add(head.size, ordering: .relaxed)
            return true
        } catch let error as S3Error {
            if RemoteFault.mayBeMissing(error) { return false }
            throw RemoteFault.error(error, "fetch", source, settings)
        } catch is CancellationError {
            throw BackupError(.cancelled, "cancelled")
        }
    }

    /// Fetches stretches of a copy's archive to their places in a file that is open for writing.
    func fetch(
        _ ranges: [Range<Int64>], of copy: RemoteCopy, into descriptor: Int32, progress: @escaping Progress
    ) async throws {
        let source = object(copy)
        var options = readOptions(copy, versionID: copy.versionID)
        if let etag = copy.etag, !etag.isEmpty, copy.versionID == nil { options.ifMatch = etag }
        let pieces = ranges.flatMap { RemoteStore.pieces(of: $0) }
        let total = pieces.reduce(0) { $0 + Int64($1.count) }
        var done: Int64 = 0
        let read = options
        try await reading(copy, source) {
            try await withThrowingTaskGroup(of: Int64.self) { group in
                var rest = pieces.makeIterator()
                for _ in 0..<RemoteStore.chunksInFlight {
                    guard let piece = rest.next() else { break }
                    group.addTask { try await self.fetch(piece, of: source, read, into: descriptor) }
                }
                while let count = try await group.next() {
                    done += count
                    progress(done, total)
                    if let piece = rest.next() {
                        group.addTask { try await self.fetch(piece, of: source, read, into: descriptor) }
                    }
                }
            }
        }
    }

    private func fetch(
        _ piece: Range<Int64>, of source: S3Object, _ options: ReadOptions, into descriptor: Int32
    ) async throws -> Int64 {
        _ = try await client.getObject(
            source, range: piece, options: options,
            to: DownloadSink(descriptor: descriptor, offset: piece.lowerBound))
        received.add(Int64(piece.count), ordering: .relaxed)
        return Int64(piece.count)
    }

    /// The SHA-256 of an object, read back through memory, in lower-case hexadecimal digits.
    func sha256(of source: S3Object, size: Int64, _ options: ReadOptions) async throws -> String {
        var digest = FileDigest()
        let pieces = RemoteStore.pieces(of: 0..<size)
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            var started = 0
            func startNext() {
                guard started < pieces.count else { return }
                let (number, piece) = (started, pieces[started])
                started += 1
                group.addTask {
                    let limit = Int(RemoteStore.chunk)
                    return (
                        number,
                        try await self.client.getObject(source, range: piece, options: options, limit: limit).body
                    )
                }
            }
            for _ in 0..<RemoteStore.chunksInFlight { startNext() }
            var waiting: [Int: [UInt8]] = [:]
            var next = 0
            while let (number, bytes) = try await group.next() {
                waiting[number] = bytes
                while let bytes = waiting.removeValue(forKey: next) {
                    bytes.withUnsafeBytes { digest.update($0) }
                    next += 1
                    // Only now: what waits for an earlier piece is in memory too.
                    startNext()
                }
            }
        }
        return digest.hexadecimal
    }

    private static func pieces(of range: Range<Int64>) -> [Range<Int64>] {
        stride(from: range.lowerBound, to: range.upperBound, by: Int(chunk)).map {
            $0..<min($0 + chunk, range.upperBound)
        }
    }

    // MARK: Archive classes

    /// Runs a reading; one that an archive class refuses throws ``ArchivedObject``.
    private func reading<Result>(
        _ copy: RemoteCopy, _ source: S3Object, _ body: () async throws -> Result
    ) async throws -> Result {
        try await perform("fetch", source) {
            do {
                return try await body()
            } catch let error as S3Error where error.code == "InvalidObjectState" {
                throw ArchivedObject(storageClass: copy.storageClass ?? "an archive class")
            }
        }
    }

    /// Whether a copy can be read now; what its way back from an archive class is, where it must be asked back.
    func archiveState(of copy: RemoteCopy) async throws -> ArchiveState {
        let source = object(copy)
        return try await perform("look at", source) {
            let head = try await client.headObject(source, options: readOptions(copy, versionID: copy.versionID))
            if !head.isArchived { return .readable }
            if case .inProgress = head.restore { return .onItsWay(head.storageClass ?? "") }
            return .archived(head.storageClass ?? "")
        }
    }

    /// Asks for a copy back from its archive class.
    func retrieve(_ copy: RemoteCopy) async throws {
        let source = object(copy)
        try await perform("ask back", source) {
            _ = try await client.restoreObject(
                source, versionID: copy.versionID, days: RemoteStore.retrievalDays, tier: .standard)
        }
    }

    /// For so long a copy that was asked back can be read.
    static let retrievalDays = 7
}

/// An object lies in an archive class and must be asked back before it can be read.
struct ArchivedObject: Error {
    var storageClass: String
}

/// Whether an object can be read, or must be asked back from an archive class first.
enum ArchiveState: Sendable, Equatable {
    case readable
    case archived(String)
    case onItsWay(String)

    /// How long the way back takes, as Amazon states it; others are mostly quicker.
    /// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
    static func duration(of storageClass: String) -> String {
        storageClass == "DEEP_ARCHIVE"
            ? "within 12 hours (standard; bulk takes up to 48 hours)"
            : "in 3 to 5 hours (standard; expedited takes 1 to 5 minutes, bulk 5 to 12 hours)"
    }
}
