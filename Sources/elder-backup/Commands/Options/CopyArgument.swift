import ArgumentParser
import BackupEngine

/// Which copies of a backup may be read: `local` or `s3`.
struct CopyArgument: ExpressibleByArgument {
    let choice: CopyChoice

    init?(argument: String) {
        guard let choice = CopyChoice(rawValue: argument.lowercased()), choice != .any else { return nil }
        self.choice = choice
    }
}

/// The status of a run whose backup is complete and whose copy in a store is not.
enum ExitStatus {
    static let copyMissing: Int32 = 3
}

/// Which copy was read, for people.
enum SourceText {
    static func line(_ source: String, _ reason: String?) -> String {
        "read from \(source == "local" ? "the local copy" : "the copy on " + source)"
            + (reason.map { ": " + Printable.line($0) } ?? "")
    }
}
