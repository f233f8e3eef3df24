internal import BackupCore

/// How long a session lets the server take.
struct PostgreSQLTimeouts: Sendable {
    /// How long to wait for a lock; zero does not wait.
    var lock: Duration
    /// How long one statement may take; nil for no limit.
    var statement: Duration?
    /// How long to wait for a connection, in whole seconds; nil for what the environment says, or half a minute.
    var connect: Duration?
}

extension SnapshotOptions {
    var timeouts: PostgreSQLTimeouts { PostgreSQLTimeouts(lock: lockTimeout, statement: statementTimeout) }
}

extension RestoreOptions {
    var timeouts: PostgreSQLTimeouts { PostgreSQLTimeouts(lock: lockTimeout, statement: statementTimeout) }
}
