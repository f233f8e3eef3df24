/// How a job's runs go: their limits, how often they are tried, and what is run or told beside them.
package struct JobRunOptions: Sendable, Equatable {
    /// How long a whole run may take, retries and copies included; nil for no limit.
    package var timeoutSeconds: Int?
    /// How long an attempt may go without any progress; nil for no limit.
    package var stallSeconds: Int?
    /// How often a run that failed is begun anew.
    package var retries = 0
    /// For `/bin/sh -c`: before the snapshot, and after the run however it ended.
    package var preCommand: String?
    package var postCommand: String?
    /// How long each of the two may take; nil for ``standardHookSeconds``.
    package var hookSeconds: Int?
    /// Whether an address of its own is told of each run, instead of `BACKUP_PING_URL`; it is among the job's secrets.
    package var hasPing = false

    package static let standardHookSeconds = 300

    package init() {}
}

/// What a user says of a job's options.
package struct JobRunOptionsChange: Sendable, Equatable {
    package var timeoutSeconds = FieldChange<Int>.keep
    package var stallSeconds = FieldChange<Int>.keep
    package var retries = FieldChange<Int>.keep
    package var preCommand = FieldChange<String>.keep
    package var postCommand = FieldChange<String>.keep
    package var hookSeconds = FieldChange<Int>.keep
    package var pingURL = FieldChange<Secret>.keep

    package init() {}

    /// Everything that a job says, but for its secret.
    package init(_ options: JobRunOptions) {
        timeoutSeconds = FieldChange(options.timeoutSeconds)
        stallSeconds = FieldChange(options.stallSeconds)
        retries = .set(options.retries)
        preCommand = FieldChange(options.preCommand)
        postCommand = FieldChange(options.postCommand)
        hookSeconds = FieldChange(options.hookSeconds)
    }

    package static let timeouts = 1...604_800
    package static let stalls = 1...86_400
    package static let retryCounts = 0...10
    package static let hookTimes = 1...86_400
    /// In bytes.
    package static let longestCommand = 4096

    /// - Throws: `usage`, naming the field, for a value that it cannot have.
    package func applied(to old: JobRunOptions) throws(BackupError) -> JobRunOptions {
        var options = old
        options.timeoutSeconds = try checked(timeoutSeconds, old.timeoutSeconds, "timeout_seconds", Self.timeouts)
        options.stallSeconds = try checked(stallSeconds, old.stallSeconds, "stall_seconds", Self.stalls)
        options.retries = try checked(retries, old.retries, "retries", Self.retryCounts) ?? 0
        options.hookSeconds = try checked(hookSeconds, old.hookSeconds, "hook_timeout_seconds", Self.hookTimes)
        options.preCommand = try command(preCommand.applied(to: old.preCommand), "pre_command")
        options.postCommand = try command(postCommand.applied(to: old.postCommand), "post_command")
        if case .set(let url) = pingURL, !WebAddress.isValid(url.revealed) {
            throw BackupError(.usage, "the ping URL is none: give https://HOST/PATH, or http:// (it is not shown)")
        }
        return options
    }

    private func checked(
        _ change: FieldChange<Int>, _ old: Int?, _ name: String, _ range: ClosedRange<Int>
    ) throws(BackupError) -> Int? {
        guard case .set(let value) = change else { return change.applied(to: old) }
        guard range.contains(value) else {
            throw BackupError(.usage, "\(name) is \(value): give \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func command(_ text: String?, _ name: String) throws(BackupError) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.count <= Self.longestCommand, !text.utf8.contains(0) else {
            throw BackupError(
                .usage, "\(name) has more than \(Self.longestCommand) bytes, or a zero byte: put it into a script")
        }
        return text
    }
}

/// Addresses of the web that are told of runs.
package enum WebAddress {
    package static func isValid(_ text: String) -> Bool {
        let rest =
            text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : nil
        guard let rest, let first = rest.utf8.first, !"/?#:".utf8.contains(first) else { return false }
        return text.utf8.count <= 2000 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
