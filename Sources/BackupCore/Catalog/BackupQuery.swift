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
        guard text.utf8.count <= 300 else { return nil }
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.count % 4) % 4)
        guard let data = Data(base64Encoded: base64), let plain = String(data: data, encoding: .utf8),
            let colon = plain.firstIndex(of: ":"), let id = Int64(plain[..<colon])
        else { return nil }
        self.init(key: String(plain[plain.index(after: colon)...]), id: id)
    }

    /// For clients, who are not to look into it; fit for a URL.
    package var text: String {
        Data("\(id):\(key)".utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
