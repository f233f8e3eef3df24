internal import BackupArchive
internal import BackupCore
internal import Glibc

/// An archive of which only some stretches were fetched, in a file of its whole size: what is not needed stays a hole.
///
/// The manifest says where each table lies. The head and the summary come first; tables are fetched when it is clear
/// which are wanted.
final class SparseArchive: Sendable {
    /// Two stretches that lie no further apart are fetched as one, in bytes: a request costs more than that.
    static let smallestGap: Int64 = 64 << 10

    /// More than the head of a member, in bytes.
    private static let memberHead: Int64 = 4 << 10

    let path: String
    private let descriptor: Int32
    private let manifest: Manifest
    private let fetch: @Sendable ([Range<Int64>], Int32) throws -> Void

    /// Makes the file and fetches head and summary.
    ///
    /// - Parameters:
    ///   - path: where the file goes; its manifest stands beside it already.
    ///   - fetch: fetches stretches into a descriptor.
    init(
        path: String, manifest: Manifest, fetch: @escaping @Sendable ([Range<Int64>], Int32) throws -> Void
    ) throws {
        self.path = path
        self.manifest = manifest
        self.fetch = fetch
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupError.system("create", path: path, errno: errno) }
        guard ftruncate(descriptor, off_t(manifest.archiveSize)) == 0 else {
            let number = errno
            close(descriptor)
            throw BackupError.system("make room for \(manifest.archiveSize) bytes in", path: path, errno: number)
        }
        try fetch(SparseArchive.frame(of: manifest), descriptor)
    }

    deinit { close(descriptor) }

    /// Fetches the members of these tables; all when nil.
    func require(_ tables: Set<ExactName>?) throws {
        try fetch(SparseArchive.stretches(of: tables, in: manifest), descriptor)
    }

    /// Head and summary.
    static func frame(of manifest: Manifest) -> [Range<Int64>] {
        let size = Int64(manifest.archiveSize)
        guard let first = manifest.tables.map(\.offset).min(),
            let last = manifest.tables.map({ $0.offset + $0.length }).max()
        else { return coalesced([0..<size], within: size) }
        // A reader knows where the head ends by what begins behind it.
        return coalesced([0..<Int64(first) + memberHead, Int64(last)..<max(size, Int64(last))], within: size)
    }

    /// The members of tables, in order.
    static func stretches(of tables: Set<ExactName>?, in manifest: Manifest) -> [Range<Int64>] {
        let wanted = manifest.tables.filter { tables?.contains(ExactName($0.totals.name)) ?? true }
        return coalesced(
            wanted.map { Int64($0.offset)..<Int64($0.offset + $0.length) }, within: Int64(manifest.archiveSize))
    }

    /// Stretches in order, those with small gaps between them made one.
    static func coalesced(_ ranges: [Range<Int64>], within size: Int64) -> [Range<Int64>] {
        var result: [Range<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let range = range.clamped(to: 0..<size)
            guard !range.isEmpty else { continue }
            if let last = result.last, range.lowerBound - last.upperBound < smallestGap {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
