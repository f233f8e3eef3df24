import BackupCore
import BackupEngine

/// The stores that backups are copied to, from `BACKUP_S3_…` and `BACKUP_S3_REPLICA_N_…`.
struct StoreConfiguration {
    /// Nil where no bucket is named.
    let settings: RemoteSettings?
    /// What a job's own store stands on where none is named for all jobs.
    let basis: RemoteSettings
    /// As `config show` prints them.
    let report: [SettingReport]

    init(_ values: SettingValues) throws(BackupError) {
        let isEnabled = try StoreConfiguration.isEnabled(values)
        let primary = StoreReader(
            values: values, prefix: StoreVariable.primaryPrefix, name: RemoteCopy.primaryStore)
        let numbers = try StoreConfiguration.replicaNumbers(values)
        let replicas = numbers.map { number in
            StoreReader(
                values: values, prefix: "\(StoreVariable.replicaPrefix)\(number)_", name: "replica-\(number)")
        }
        let store = try primary.settings()
        if store == nil, isEnabled.value || !replicas.isEmpty {
            let cause =
                isEnabled.value ? "\(StoreVariable.enabled) is true" : "\(StoreVariable.replicaPrefix)1_BUCKET is set"
            throw BackupError(
                .configuration,
                "\(cause), and BACKUP_S3_BUCKET is not set: name the bucket that backups go to, or set "
                    + "\(StoreVariable.enabled) to false")
        }
        var copies: [StoreSettings] = []
        for replica in replicas {
            if let settings = try replica.settings() { copies.append(settings) }
        }
        if let store { try StoreConfiguration.refuseTwins([store] + copies) }
        settings = store.map {
            RemoteSettings(
                isEnabled: isEnabled.value, primary: $0, replicas: copies,
                environment: StoreConfiguration.foreignVariables(values))
        }
        let standard: StoreSettings
        if let store { standard = store } else { standard = try primary.settings(bucket: "") }
        basis = RemoteSettings(
            isEnabled: false, primary: standard, environment: StoreConfiguration.foreignVariables(values))
        let switchReport = SettingReport(
            name: StoreVariable.enabled, value: isEnabled.value ? "true" : "false", origin: isEnabled.origin.text)
        report =
            [switchReport] + primary.report(store)
            + zip(replicas, copies).flatMap { reader, settings in reader.report(settings) }
    }

    private static func isEnabled(_ values: SettingValues) throws(BackupError) -> (value: Bool, origin: SettingOrigin) {
        guard let (text, origin) = values.variable(StoreVariable.enabled) else { return (false, .standard) }
        guard let value = StoreText.boolean(text) else {
            throw values.wrong(StoreVariable.enabled, text, origin, allowed: "true or false")
        }
        return (value, origin)
    }

    /// 1, 2, … without a gap: a number that was left out is a typing error that would cost a copy.
    private static func replicaNumbers(_ values: SettingValues) throws(BackupError) -> [Int] {
        var named: [Int: String] = [:]
        for name in values.names.sorted() {
            guard let (number, suffix) = StoreVariable.replica(name), StoreVariable(rawValue: suffix) != nil else {
                continue
            }
            if named[number] == nil || suffix == StoreVariable.bucket.rawValue { named[number] = name }
        }
        for number in named.keys.sorted() {
            let bucket = "\(StoreVariable.replicaPrefix)\(number)_\(StoreVariable.bucket.rawValue)"
            if named[number] != bucket {
                throw BackupError(
                    .configuration, "\(named[number] ?? "") is set, and \(bucket) is not: name the replica's bucket")
            }
        }
        let numbers = named.keys.sorted()
        if let (expected, found) = zip(1..., numbers).first(where: { $0 != $1 }) {
            throw BackupError(
                .configuration,
                "\(StoreVariable.replicaPrefix)\(found)_BUCKET is set, and \(StoreVariable.replicaPrefix)\(expected)_BUCKET "
                    + "is not: replicas are numbered 1, 2, 3 without a gap")
        }
        return numbers
    }

    /// Two stores that are one would overwrite and delete each other's copies.
    private static func refuseTwins(_ stores: [StoreSettings]) throws(BackupError) {
        for (index, store) in stores.enumerated() {
            let twin = stores[..<index].first {
                $0.bucket == store.bucket && $0.prefix == store.prefix && $0.endpoint == store.endpoint
            }
            guard let twin else { continue }
            throw BackupError(
                .configuration,
                "\(store.variablePrefix)BUCKET and \(twin.variablePrefix)BUCKET name the same place, "
                    + "\(store.bucket)/\(store.prefix): give the replica another bucket or another prefix")
        }
    }

    /// What credentials and proxies may come from, where this program has no variable of its own for it.
    private static func foreignVariables(_ values: SettingValues) -> [String: String] {
        let isForeign = { (name: String) in
            name.hasPrefix("AWS_") || name.lowercased().hasSuffix("_proxy") || ["HOME", "PATH"].contains(name)
        }
        return values.file.filter { isForeign($0.key) }.merging(values.environment.filter { isForeign($0.key) }) { $1 }
    }
}
