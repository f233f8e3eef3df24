internal import BackupCatalog
internal import BackupCore
internal import DatabaseSource

extension BackupEngine {
    /// How a snapshot of a database is taken, as far as the configuration says.
    func snapshotOptions(of source: DatabaseURL, _ cancellation: Cancellation) -> SnapshotOptions {
        var options = SnapshotOptions()
        options.maximumRow = configuration.maximumRow
        options.lockTimeout = configuration.lockTimeout
        options.statementTimeout = configuration.statementTimeout
        options.programDirectories = configuration.programDirectories
        options.sourceCheck = configuration.sourceCheck
        options.maximumLogGrowth = configuration.maximumLogGrowth
        options.connections = configuration.jobs
        options.isCancelled = { cancellation.isCancelled }
        if catalogLives(in: source) { options.secretColumns = SQLiteCatalog.secretColumns }
        return options
    }
}
