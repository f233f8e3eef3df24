internal import Foundation

/// Which backups are asked for, the newest first.
package struct BackupQuery: Sendable {
    package var jobID: Int64?
    package var status: BackupRecord.Status?
    /// Begun then or later.
    package var since: Timestamp?
    /// Begun before.
    package var until: Timestamp?
    /// Those behind this place.
    package var cursor: BackupCursor?
    /// At most so many.
    package var limit = 50

    package init() {}
}

/// Some of the backups that were asked for.
package struct BackupPage: Sendable {
    package var records: [BackupRecord]
    /// Where the next ones begin; nil behind the last one.
    package var next: BackupCursor?

    package init(records: [BackupRecord], next: BackupCursor?) {
        self.records = records
        self.next = next
    }
}

/// A place in the list of all backups, which stays where it is when backups come and go.
package struct BackupCursor: Sendable, Equatable {
    /// What the list is sorted by, as the catalog has it.
    package var key: String
    package var id: Int64

    package init(key: String, id: Int64) {
        self.key = key
        self.id = id
    }

    /// Nil for what is not a cursor's ``text``.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count <= 300, parts.count == 2, let id = Int64(parts[0]), parts[1].utf8.count.isMultiple(of: 2)
        else { return nil }
        var bytes: [UInt8] = []
        var digits = parts[1][...]
        while !digits.isEmpty {
            guard let byte = UInt8(digits.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        self.init(key: String(decoding: bytes, as: UTF8.self), id: id)
    }

    /// For clients, who are not to look into it; fit for a URL: the id, and the key's bytes in hexadecimal digits.
    package var text: String { "\(id)-" + key.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// What ``text`` looks like, as a regular expression.
    package static let pattern = "^[1-9][0-9]{0,17}-([0-9a-f][0-9a-f]){1,100}$"
}
