internal import BackupCore
internal import Logging
internal import Synchronization

/// The configured stores of one verb, each opened when it is first needed.
final class Stores: Sendable {
    let settings: RemoteSettings?
    private let logger: Logger
    private let opened = Mutex<[String: RemoteStore]>([:])

    init(_ settings: RemoteSettings?, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Whether new backups are copied.
    var isEnabled: Bool { settings?.isEnabled ?? false }

    /// The names of the stores that a backup should be copied to, the primary one first.
    var names: [String] { settings?.all.map(\.name) ?? [] }

    /// Bytes of objects that were fetched.
    var received: Int64 { opened.withLock { $0.values.reduce(0) { $0 + $1.received.load(ordering: .relaxed) } } }

    /// - Throws: `configuration` where no such store is configured.
    func store(_ name: String) throws -> RemoteStore {
        guard let settings = settings?.all.first(where: { $0.name == name }) else {
            let variable =
                name == RemoteCopy.primaryStore
                ? "BACKUP_S3_BUCKET" : "BACKUP_S3_\(name.uppercased().replacing("-", with: "_"))_BUCKET"
            throw BackupError(.configuration, "the store \(name) is not configured: set \(variable) and what it needs")
        }
        return try opened.withLock { opened in
            if let store = opened[name] { return store }
            let store = try RemoteStore(settings, environment: self.settings?.environment ?? [:], logger: logger)
            opened[name] = store
            return store
        }
    }

    func shutdown() async {
        let all = opened.withLock { opened in
            defer { opened = [:] }
            return Array(opened.values)
        }
        for store in all { await store.shutdown() }
    }
}
