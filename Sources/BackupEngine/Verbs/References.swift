/// How a backup is named by a user: a catalog id, a file name in the backup directory, or a path to an archive.
package struct BackupReference: Sendable, Equatable {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// How a job is named by a user: its id or its name.
package struct JobReference: Sendable, Equatable {
    package var text: String
    package init(_ text: String) { self.text = text }
}
