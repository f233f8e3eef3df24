package import BackupCore
package import Logging

/// The verbs: everything that can be done with backups. Commands and the HTTP API hold no logic of their own; both
/// call these. Each verb is a file of its own under `Verbs/`.
package struct BackupEngine: Sendable {
    package let configuration: EngineConfiguration
    let catalog: any CatalogStore
    let logger: Logger
    let observer: ProgressObserver

    package init(
        configuration: EngineConfiguration, catalog: any CatalogStore, logger: Logger,
        observer: @escaping ProgressObserver = { _ in }
    ) {
        self.configuration = configuration
        self.catalog = catalog
        self.logger = logger
        self.observer = observer
    }
}
