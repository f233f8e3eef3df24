internal import BackupCore
internal import Foundation
internal import GRDB

/// What a change of a job writes into its row, checked. Nil leaves a column as it is.
struct JobColumns {
    static let longestName = 255
    /// In days. The bound keeps date arithmetic within its range.
    static let longestRetention = 1_000_000

    var name: String?
    private let retentionDays: Int?
    private let enabled: Bool?
    /// Text columns; an inner nil empties the column.
    private let texts: [String: String?]
    private let include: [String]?
    private let exclude: [String]?

    /// - Throws: `usage` for a value that a job cannot have.
    init(_ change: BackupJobChange, defaults: Bool, defaultRetentionDays: Int) throws(BackupError) {
        name = try change.name.map { text throws(BackupError) in try JobColumns.checkedName(text) }
        retentionDays = change.retentionDays ?? (defaults ? defaultRetentionDays : nil)
        if let retentionDays, !(1...JobColumns.longestRetention).contains(retentionDays) {
            throw BackupError(
                .usage,
                "a retention of \(retentionDays) days is not possible: give 1 to \(JobColumns.longestRetention) days")
        }
        enabled = change.enabled ?? (defaults ? true : nil)
        var texts: [String: String?] = [:]
        if let schedule = change.schedule.map(JobColumns.trimmed) {
            if !schedule.isEmpty { _ = try CronSchedule(schedule) }
            texts.updateValue(schedule.isEmpty ? nil : schedule, forKey: "schedule")
        }
        if let source = change.source.map(JobColumns.trimmed) {
            if !source.isEmpty { _ = try DatabaseURL(source) }
            texts.updateValue(source.isEmpty ? nil : source, forKey: "source_url")
        }
        if let description = change.description {
            texts.updateValue(description.isEmpty ? nil : description, forKey: "description")
        }
        self.texts = texts
        include = change.includeTables
        exclude = change.excludeTables
        if (include ?? []).contains("") || (exclude ?? []).contains("") {
            throw BackupError(.usage, "the name of a table is empty in the job's list of tables")
        }
    }

    /// - Parameter config: the row's `config_json` so far, of which other programs' keys are kept.
    func values(_ database: Database, config: String?) throws -> [String: DatabaseValue] {
        var values = texts.mapValues { $0.databaseValue }
        if let name { values["name"] = name.databaseValue }
        if let retentionDays { values["retention_days"] = retentionDays.databaseValue }
        if let enabled { values["enabled"] = try SQLiteCatalog.boolean(enabled, column: "enabled", database) }
        if include != nil || exclude != nil || config == nil {
            let text = try JobTables.config(config, include: include, exclude: exclude)
            values["config_json"] = text.databaseValue
        }
        return values
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

/// The tables that a job names, as `config_json` holds them.
struct JobTables {
    var include: [String]?
    var exclude: [String]?

    /// - Throws: `catalog` where the text is there and is not such an object: to back up more than was asked for, or
    ///   less, would be a guess.
    init(config: String?) throws(BackupError) {
        guard let object = try JobTables.object(config) else { return }
        include = try JobTables.names(object, "include_tables")
        exclude = try JobTables.names(object, "exclude_tables")
    }

    /// The text for a row: `old` with the lists that are given replaced; an empty list becomes `null`.
    static func config(_ old: String?, include: [String]?, exclude: [String]?) throws -> String {
        // Giving both lists repairs a text that cannot be read.
        var object =
            include != nil && exclude != nil ? (try? JobTables.object(old)) ?? [:] : try JobTables.object(old) ?? [:]
        for (key, list) in [("include_tables", include), ("exclude_tables", exclude)] {
            if let list { object[key] = list.isEmpty ? NSNull() : list }
            if object[key] == nil { object[key] = NSNull() }
        }
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private static func object(_ config: String?) throws(BackupError) -> [String: Any]? {
        guard let config, !config.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty else { return nil }
        var value = try? JSONSerialization.jsonObject(with: Data(config.utf8), options: .fragmentsAllowed)
        // A text that went through a JSON column is encoded twice.
        if let text = value as? String {
            value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        }
        if value is NSNull { return nil }
        guard let object = value as? [String: Any] else { throw unreadable("it is not a JSON object") }
        return object
    }

    private static func names(_ object: [String: Any], _ key: String) throws(BackupError) -> [String]? {
        guard let value = object[key], !(value is NSNull) else { return nil }
        guard let names = value as? [String] else { throw unreadable("\(key) is not a list of names") }
        return names.isEmpty ? nil : names
    }

    private static func unreadable(_ reason: String) -> BackupError {
        BackupError(.catalog, "config_json cannot be read (\(reason)): set the job's tables again with `job update`")
    }
}
