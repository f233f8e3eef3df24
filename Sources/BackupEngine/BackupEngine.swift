internal import BackupCatalog
package import BackupCore
internal import BackupFiles
internal import Foundation
package import Logging

/// The verbs: everything that can be done with backups. Commands and the HTTP API hold no logic of their own; both
/// call these. Each verb is a file of its own under `Verbs/`.
package struct BackupEngine: Sendable {
    package let configuration: EngineConfiguration
    let catalog: any CatalogStore
    let logger: Logger
    private(set) var observer: ProgressObserver
    /// Of the one run that this value of an engine is for, where somebody wants to follow or cancel it.
    private(set) var control: RunControl?
    let knownTokens = KnownTokens()
    let knownDigests = KnownDigests()
    let outcomes: UnwrittenOutcomes
    let toldFailures = ToldFailures()

    /// Threads that compress or decompress. Two keep up with any database that this program reads on one thread.
    static let workers = 2

    package init(
        configuration: EngineConfiguration, catalog: any CatalogStore, logger: Logger,
        observer: @escaping ProgressObserver = { _ in }
    ) {
        self.configuration = configuration
        self.catalog = catalog
        self.logger = logger
        self.observer = observer
        outcomes = UnwrittenOutcomes(catalog, logger)
    }

    /// The same engine for a single run, which can be followed and cancelled by itself.
    package func under(_ control: RunControl) -> BackupEngine {
        var engine = observed(by: control.observer)
        engine.control = control
        return engine
    }

    /// The same engine, with one more to tell of its course.
    func observed(by more: @escaping ProgressObserver) -> BackupEngine {
        var engine = self
        engine.observer = { [observer] event in
            observer(event)
            more(event)
        }
        return engine
    }

    /// Opens the catalog, and closes the records of runs that are over and could not say so.
    ///
    /// - Throws: `catalog` where it cannot be opened or must be migrated first; `storage`.
    package static func open(
        configuration: EngineConfiguration, logger: Logger, observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        try await BlockingThread.run(named: "open") { _ in
            if configuration.catalogURL == nil { try BackupDirectory.prepare(configuration.backupDirectory) }
            let catalog = try SQLiteCatalog.open(
                path: configuration.catalogPath, migrate: false, keyring: configuration.keyring)
            let engine = BackupEngine(
                configuration: configuration, catalog: catalog, logger: logger, observer: observer)
            try engine.sweepDeadRuns()
            return engine
        }
    }

    /// Brings the catalog to this version's form; each line tells one change.
    package static func migrateCatalog(configuration: EngineConfiguration) async throws -> [String] {
        try await BlockingThread.run(named: "migrate") { _ in
            if configuration.catalogURL == nil { try BackupDirectory.prepare(configuration.backupDirectory) }
            return try SQLiteCatalog.migrate(path: configuration.catalogPath, keyring: configuration.keyring)
        }
    }

    /// Whether the catalog is a part of that database.
    func catalogLives(in url: DatabaseURL) -> Bool {
        switch url {
        case .sqlite(let path): FileOperations.isSame(path, configuration.catalogPath)
        // The catalog is a SQLite file.
        case .postgresql: false
        }
    }
}

extension EngineConfiguration {
    /// The keys of the catalog's secrets.
    var keyring: SecretKeyring {
        SecretKeyring(path: backupDirectory + "/secret.key", configured: secretKey, old: oldSecretKey)
    }

    var catalogPath: String {
        switch catalogURL {
        case .sqlite(let path): path
        // Refused where the configuration is read.
        case .postgresql, nil: backupDirectory + "/catalog.sqlite"
        }
    }
}
