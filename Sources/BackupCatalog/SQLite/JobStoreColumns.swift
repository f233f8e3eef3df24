internal import BackupCore
internal import Foundation
internal import GRDB

/// What a change of a job writes of its store, of its database's address and of its ping, secrets encrypted.
struct JobStoreColumns {
    static let storeKey = "s3_secret_key"
    static let source = "source_secret"
    static let ping = "ping_secret"
    /// The columns of `backup_jobs` that hold secrets which are encrypted.
    static let secrets = [storeKey, source, ping]
    private static let off = "off"

    private let store: JobStoreChange
    /// The address as it was given; empty for none.
    private let source: String?
    private let pingURL: FieldChange<Secret>

    /// - Throws: `usage` for an address that is none.
    init(_ change: BackupJobChange) throws(BackupError) {
        store = change.store
        pingURL = change.options.pingURL
        source = change.source?.trimmingCharacters(in: .whitespacesAndNewlines)
        if let source, !source.isEmpty { _ = try DatabaseURL(source) }
    }

    /// - Parameters:
    ///   - row: what the job's row holds so far; nil for a new one.
    ///   - uuid: the job's.
    ///   - key: what secrets are encrypted with; asked for where there is one.
    func values(
        _ database: Database, row: LenientRow?, uuid: String, key: () throws -> SecretKey
    ) throws -> [String: DatabaseValue] {
        var values: [String: DatabaseValue] = [:]
        let texts = [
            ("s3_endpoint", store.endpoint), ("s3_bucket", store.bucket), ("s3_region", store.region),
            ("s3_access_key", store.accessKey), ("s3_prefix", store.prefix),
        ]
        for case (let column, let text?) in texts {
            values[column] = text.isEmpty ? .null : text.databaseValue
        }
        if let secret = store.secretKey, secret.revealed != JobStore.mask {
            values[JobStoreColumns.storeKey] =
                secret.revealed.isEmpty
                ? .null
                : try SealedText.seal(secret, with: key(), at: JobStoreColumns.place(JobStoreColumns.storeKey, uuid))
                    .databaseValue
        }
        if store.choice != nil || row == nil {
            values["s3_enabled"] = try SQLiteCatalog.boolean(store.choice == .on, column: "s3_enabled", database)
            values["s3_choice"] = store.choice == .off ? JobStoreColumns.off.databaseValue : .null
        }
        switch pingURL {
        case .keep: break
        case .clear: values[JobStoreColumns.ping] = .null
        case .set(let url):
            let place = JobStoreColumns.place(JobStoreColumns.ping, uuid)
            values[JobStoreColumns.ping] = try SealedText.seal(url, with: key(), at: place).databaseValue
        }
        try addSource(to: &values, row: row, uuid: uuid, key: key)
        return values
    }

    private func addSource(
        to values: inout [String: DatabaseValue], row: LenientRow?, uuid: String, key: () throws -> SecretKey
    ) throws {
        guard let source else { return }
        guard !source.isEmpty else {
            values["source_url"] = .null
            values[JobStoreColumns.source] = .null
            return
        }
        // A client that sends back what it was shown changes nothing.
        if source == row?.text("source_url"), row?.filledText(JobStoreColumns.source) != nil { return }
        guard !source.contains(JobStore.mask) else {
            throw BackupError.field(
                "source",
                "\(JobStore.mask) stands for what is kept, and the rest of the address is another one: give the "
                    + "whole address anew")
        }
        let address = try DatabaseURL(source)
        values["source_url"] = (address.keepsSecrets ? address.masked : source).databaseValue
        values[JobStoreColumns.source] =
            address.keepsSecrets
            ? try SealedText.seal(
                Secret(source), with: key(), at: JobStoreColumns.place(JobStoreColumns.source, uuid)
            ).databaseValue : .null
    }

    static func place(_ column: String, _ uuid: String) -> SealedText.Place {
        SealedText.Place(column: column, uuid: uuid)
    }

    /// Elder's default, that no copy is wanted, cannot be told there from nothing having been said: it is taken for that.
    static func store(from row: LenientRow) -> JobStore {
        var store = JobStore()
        if row.boolean("s3_enabled") == true {
            store.isEnabled = true
        } else if row.text("s3_choice") == off {
            store.isEnabled = false
        }
        store.endpoint = row.filledText("s3_endpoint")
        store.bucket = row.filledText("s3_bucket")
        store.region = row.filledText("s3_region")
        store.accessKey = row.filledText("s3_access_key")
        store.prefix = row.filledText("s3_prefix")
        store.hasSecretKey = row.filledText(storeKey) != nil
        return store
    }
}
