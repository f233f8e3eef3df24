package import BackupCore

/// What became of one copy of a backup.
package struct CopyReport: Sendable, Codable, Equatable {
    package var backupID: Int64
    package var filename: String
    /// `s3`, or `replica-1` and so on.
    package var store: String
    package var uploaded: Bool
    package var url: String?
    package var proof: RemoteCopy.Proof?
    /// Why it is not there.
    package var error: String?

    private enum CodingKeys: String, CodingKey {
        case filename, store, uploaded, url, proof, error
        case backupID = "backup_id"
    }
}

/// What an upload or a replication did.
package struct CopiesResponse: Sendable, Codable {
    /// Whether every copy is there that was asked for.
    package var success: Bool
    package var uploaded: Int
    package var failed: Int
    package var copies: [CopyReport]

    init(_ copies: [CopyReport]) {
        self.copies = copies
        uploaded = copies.count(where: \.uploaded)
        failed = copies.count - uploaded
        success = failed == 0
    }
}
