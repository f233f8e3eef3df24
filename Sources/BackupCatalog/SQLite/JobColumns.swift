internal import BackupCore
internal import Foundation
internal import GRDB

/// What a change of a job writes into its row, checked. Nil leaves a column as it is.
struct JobColumns {
    static let longestName = 255

    var name: String?
    private let retention: RetentionChange
    private let enabled: Bool?
    /// Text columns; an inner nil empties the column.
    private let texts: [String: String?]
    private let include: [String]?
    private let exclude: [String]?
    private let options: JobRunOptionsChange
    private let store: JobStoreColumns

    /// - Throws: `usage` for a value that a job cannot have.
    init(_ change: BackupJobChange, defaults: Bool, defaultRetentionDays: Int) throws(BackupError) {
        name = try change.name.map { text throws(BackupError) in try JobColumns.checkedName(text) }
        var retention = change.retention
        if defaults, retention.days == nil { retention.days = defaultRetentionDays }
        self.retention = retention
        enabled = change.enabled ?? (defaults ? true : nil)
        var texts: [String: String?] = [:]
        if let schedule = change.schedule.map(JobColumns.trimmed) {
            if !schedule.isEmpty { _ = try CronSchedule(schedule) }
            texts.updateValue(schedule.isEmpty ? nil : schedule, forKey: "schedule")
        }
        if let zone = change.timeZone.map(JobColumns.trimmed) {
            guard zone.isEmpty || TimeZone(identifier: zone) != nil else {
                throw BackupError(
                    .usage, "\"\(zone.prefix(60))\" is no time zone: give a name such as Europe/Berlin, or UTC")
            }
            texts.updateValue(zone.isEmpty ? nil : zone, forKey: "time_zone")
        }
        if let description = change.description {
            texts.updateValue(description.isEmpty ? nil : description, forKey: "description")
        }
        self.texts = texts
        include = change.includeTables
        exclude = change.excludeTables
        options = change.options
        store = try JobStoreColumns(change)
        if (include ?? []).contains("") || (exclude ?? []).contains("") {
            throw BackupError(.usage, "the name of a table is empty in the job's list of tables")
        }
    }

    /// - Parameters:
    ///   - row: what the job's row holds so far, of whose `config_json` other programs' keys are kept; nil for a new one.
    ///   - policy: the row's retention so far.
    ///   - uuid: the job's.
    ///   - key: what secrets are encrypted with.
    /// - Throws: `usage` for a retention that cannot be.
    func values(
        _ database: Database, row: LenientRow? = nil, policy: RetentionPolicy, uuid: String,
        key: () throws -> SecretKey
    ) throws -> [String: DatabaseValue] {
        let config = row?.text("config_json")
        var values = texts.mapValues { $0.databaseValue }
        values.merge(try store.values(database, row: row, uuid: uuid, key: key)) { $1 }
        if let name { values["name"] = name.databaseValue }
        if retention != RetentionChange() {
            let policy = try retention.applied(to: policy)
            values["retention_days"] = policy.days.databaseValue
            values["retention_json"] = try JobRetention.text(policy).databaseValue
        }
        if let enabled { values["enabled"] = try SQLiteCatalog.boolean(enabled, column: "enabled", database) }
        if include != nil || exclude != nil || config == nil || options != JobRunOptionsChange() {
            let text = try JobTables.config(config, include: include, exclude: exclude, options: options)
            values["config_json"] = text.databaseValue
        }
        return values
    }

    /// Whether it changes when the job of a row runs.
    func changesSchedule(of row: LenientRow) -> Bool {
        if let enabled, enabled != row.boolean("enabled") ?? true { return true }
        return ["schedule", "time_zone"].contains { column in
            guard let text = texts[column] else { return false }
            return text != row.filledText(column)
        }
    }

    private static func checkedName(_ text: String) throws(BackupError) -> String {
        let name = trimmed(text)
        guard !name.isEmpty else { throw BackupError(.usage, "the job's name is empty: give it one") }
        guard name.unicodeScalars.count <= longestName else {
            throw BackupError(
                .usage,
                "the job's name has \(name.unicodeScalars.count) characters: give one of at most \(longestName)")
        }
        guard !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw BackupError(.usage, "the job's name holds a control character: leave it out")
        }
        return name
    }

    private static func trimmed(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A job's retention as its row holds it: the days in Elder's column, the rest as a JSON object, or nothing.
enum JobRetention {
    /// - Throws: `catalog` where the text is there and cannot be read: a guess might delete too much.
    static func policy(days: Int64?, text: String?) throws(BackupError) -> RetentionPolicy {
        var policy = RetentionPolicy(days: 30)
        if let text {
            guard let found = try? JSONDecoder().decode(RetentionPolicy.self, from: Data(text.utf8)) else {
                throw BackupError(
                    .catalog,
                    "retention_json cannot be read: set the job's retention again, as by `job update JOB "
                        + "--retention-days 30`")
            }
            policy = found
        }
        // Elder changes its own column alone.
        if let days { policy.days = Int(min(max(days, 0), Int64(RetentionChange.largest))) }
        return policy
    }

    /// Nil for a policy of days alone.
    static func text(_ policy: RetentionPolicy) throws -> String? {
        if policy == RetentionPolicy(days: policy.days) { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(policy), as: UTF8.self)
    }
}

/// The tables that a job names, as `config_json` holds them.
struct JobTables {
    var include: [String]?
    var exclude: [String]?

    init() {}

    /// - Throws: `catalog` where the text is there and is not such an object: to back up more than was asked for, or
    ///   less, would be a guess.
    init(config: String?) throws(BackupError) {
        guard let object = try JobTables.object(config) else { return }
        include = try JobTables.names(object, "include_tables")
        exclude = try JobTables.names(object, "exclude_tables")
    }

    /// The text for a row: `old` with what is given replaced; an empty list becomes `null`.
    static func config(
        _ old: String?, include: [String]?, exclude: [String]?, options: JobRunOptionsChange
    ) throws -> String {
        // Giving both lists repairs a text that cannot be read.
        var object =
            include != nil && exclude != nil ? (try? JobTables.object(old)) ?? [:] : try JobTables.object(old) ?? [:]
        for (key, list) in [("include_tables", include), ("exclude_tables", exclude)] {
            if let list { object[key] = list.isEmpty ? NSNull() : list }
            if object[key] == nil { object[key] = NSNull() }
        }
        try JobOptionsText.change(&object, by: options)
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    static func object(_ config: String?) throws(BackupError) -> [String: Any]? {
        guard let config, !config.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty else { return nil }
        var value = try? JSONSerialization.jsonObject(with: Data(config.utf8), options: .fragmentsAllowed)
        // A text that went through a JSON column is encoded twice.
        if let text = value as? String {
            value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        }
        if value is NSNull { return nil }
        guard let object = value as? [String: Any] else { throw unreadable("it is not a JSON object", repair) }
        return object
    }

    private static func names(_ object: [String: Any], _ key: String) throws(BackupError) -> [String]? {
        guard let value = object[key], !(value is NSNull) else { return nil }
        guard let names = value as? [String] else { throw unreadable("\(key) is not a list of names", repair) }
        return names.isEmpty ? nil : names
    }

    private static let repair =
        "set both lists of tables again, as by `job update JOB --tables a,b --exclude-tables \"\"`"

    static func unreadable(_ reason: String, _ repair: String) -> BackupError {
        BackupError(.catalog, "config_json cannot be read (\(reason)): \(repair)")
    }
}
