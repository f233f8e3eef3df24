internal import BackupCore
internal import Foundation

/// A job's options as `config_json` holds them, beside its tables.
enum JobOptionsText {
    private static let timeout = "timeout_seconds"
    private static let stall = "stall_seconds"
    private static let retries = "retries"
    private static let pre = "pre_command"
    private static let post = "post_command"
    private static let hook = "hook_timeout_seconds"

    /// - Throws: `catalog` for a value of another kind than it ought to be.
    static func options(_ object: [String: Any]) throws(BackupError) -> JobRunOptions {
        var options = JobRunOptions()
        options.timeoutSeconds = try number(object, timeout)
        options.stallSeconds = try number(object, stall)
        options.retries = try number(object, retries) ?? 0
        options.preCommand = try text(object, pre)
        options.postCommand = try text(object, post)
        options.hookSeconds = try number(object, hook)
        return options
    }

    /// - Throws: `usage` for a value that a job cannot have.
    static func change(_ object: inout [String: Any], by change: JobRunOptionsChange) throws(BackupError) {
        guard change != JobRunOptionsChange() else { return }
        // What is said anew repairs what cannot be read.
        let fields: [(key: String, isKept: Bool)] = [
            (timeout, change.timeoutSeconds == .keep), (stall, change.stallSeconds == .keep),
            (retries, change.retries == .keep), (pre, change.preCommand == .keep),
            (post, change.postCommand == .keep), (hook, change.hookSeconds == .keep),
        ]
        for field in fields where !field.isKept { object[field.key] = nil }
        let options = try change.applied(to: try options(object))
        object[timeout] = options.timeoutSeconds
        object[stall] = options.stallSeconds
        object[retries] = options.retries == 0 ? nil : options.retries
        object[pre] = options.preCommand
        object[post] = options.postCommand
        object[hook] = options.hookSeconds
    }

    private static func number(_ object: [String: Any], _ key: String) throws(BackupError) -> Int? {
        guard let value = object[key], !(value is NSNull) else { return nil }
        guard let number = value as? Int, number >= 0 else { throw unreadable(key, "a number") }
        return number
    }

    private static func text(_ object: [String: Any], _ key: String) throws(BackupError) -> String? {
        guard let value = object[key], !(value is NSNull) else { return nil }
        guard let text = value as? String else { throw unreadable(key, "a text") }
        return text.isEmpty ? nil : text
    }

    private static func unreadable(_ key: String, _ kind: String) -> BackupError {
        JobTables.unreadable("\(key) is not \(kind)", "set it again with `job update`")
    }
}
