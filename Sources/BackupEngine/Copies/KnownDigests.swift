internal import BackupArchive
internal import BackupCore
package import BackupFiles
internal import Synchronization

/// The SHA-256 of files that were read once, for as long as they stay the same: what many requests send on is not read as
/// a whole for each of them. A bit that falls over on the disk is not seen so; whoever is to prove a file reads it.
package final class KnownDigests: Sendable {
    private let digests = Mutex(BoundedTable<InputFile.Identity, String>(capacity: 10_000))

    package init() {}

    /// - Parameter step: called often; ends the reading by throwing.
    package func sha256(of file: InputFile, step: () throws -> Void) throws -> String {
        let identity = try file.identity()
        if let known = digests.withLock({ $0[key: identity] }) { return known }
        let digest = try ArchiveCopy.sha256(of: file, step: step)
        // What was written to meanwhile may have any other digest by now.
        if try file.identity() == identity { digests.withLock { $0[key: identity] = digest } }
        return digest
    }
}
