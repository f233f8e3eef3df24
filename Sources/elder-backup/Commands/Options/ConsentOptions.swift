import ArgumentParser
import BackupCore

/// Asks before something is deleted.
struct ConsentOptions: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    /// Asks at the terminal, unless told not to.
    ///
    /// - Throws: `usage` where there is no terminal to ask at; `cancelled` where the answer is no.
    func demand(_ question: String) throws {
        guard !yes else { return }
        guard StandardInput.isTerminal else {
            throw BackupError(.usage, "delete asks before it deletes, and there is no terminal to ask on: add --yes")
        }
        guard try StandardInput.confirm(question) else {
            throw BackupError(.cancelled, "nothing was deleted")
        }
    }
}
