/// What went wrong, where, why, and what to do next.
///
/// `message` is one line, complete in itself and safe to log: it never holds a secret. Errors are returned or logged,
/// never both; whoever adds knowledge of the place (a table, a file) wraps with ``located(_:)``.
package struct BackupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart. The raw value is the `code` of the HTTP API and of `--json`.
    package enum Code: String, Sendable, Equatable, CaseIterable {
        /// The command line or a request makes no sense as given.
        case usage
        /// A variable or file of the configuration has a wrong value.
        case configuration
        /// Whoever asks may not have this, though it makes sense.
        case forbidden
        /// Something of the name is there already.
        case taken
        /// No such backup, job, table or file.
        case notFound = "not_found"
        /// The database to be backed up cannot be opened or read.
        case source
        /// The source holds something that cannot be stored or rebuilt.
        case unsupported
        /// The target of a restore refuses: it holds data, lacks a table, violates a constraint.
        case target
        /// An archive or manifest is not what was written: truncated, altered, malformed.
        case damaged
        /// The file system refuses: no space, no permission, not a directory.
        case storage
        /// Another run of the same job is going on.
        case locked
        /// A store of copies refuses, cannot be reached, or holds what is not ours.
        case remote = "s3"
        /// An object lock does not let a copy go yet.
        case retained
        /// The catalog cannot be opened, or is not in the expected state.
        case catalog
        /// The run was cancelled.
        case cancelled
        /// An invariant of this program does not hold: a defect, worth a report.
        case `internal`
    }

    package var code: Code
    package var message: String
    /// Where it happened, outermost first, for example `["table \"orders\"", "row 12"]`.
    package var location: [String]
    /// The field of a request that is at fault; nil where it is no single one. The message names it, too.
    package var field: String?
    /// Whether the same run, begun anew, may pass: what ended it belongs to the moment.
    package var isTransient: Bool

    package init(_ code: Code, _ message: String, location: [String] = [], isTransient: Bool = false) {
        self.code = code
        self.message = message
        self.location = location
        self.isTransient = isTransient
    }

    /// One field that is at fault.
    package static func field(_ name: String, _ reason: String, code: Code = .usage) -> BackupError {
        var error = BackupError(code, "\(name): \(reason)")
        error.field = name
        return error
    }

    /// The same error with one more place in front, unless that is where it stands already.
    package func located(_ place: String) -> BackupError {
        guard location.first != place else { return self }
        var error = self
        error.location.insert(place, at: 0)
        return error
    }

    package var description: String {
        location.isEmpty ? message : location.joined(separator: ", ") + ": " + message
    }

    /// The exit status of a command that ends with this error: 64 wrong usage, 4 damage, 5 lock held, else 1.
    package var exitStatus: Int32 {
        switch code {
        case .usage, .configuration, .taken: 64
        case .damaged: 4
        case .locked: 5
        default: 1
        }
    }
}

extension BackupError {
    /// A failed system call as an error: what was tried, on which path, and the system's own words.
    package static func system(
        _ code: Code, _ action: String, path: String, errno number: Int32, hint: String? = nil
    ) -> BackupError {
        let reason = SystemErrorText.text(for: number)
        return BackupError(code, "cannot \(action) \(path): \(reason)\(hint.map { "; " + $0 } ?? "")")
    }

    /// The same for the file system's own refusals.
    package static func system(_ action: String, path: String, errno number: Int32, hint: String? = nil) -> BackupError
    {
        system(.storage, action, path: path, errno: number, hint: hint)
    }
}
