internal import BackupCore
internal import Logging

/// The commands that a job runs before its snapshot and after its runs.
struct JobHooks {
    private let job: BackupJob
    private let logger: Logger
    private let context: VerbContext

    init(_ job: BackupJob, _ logger: Logger, _ context: VerbContext) {
        self.job = job
        self.logger = logger
        self.context = context
    }

    /// - Throws: `source` where the command fails: the database was not made ready.
    func runBefore(_ record: BackupRecord) throws {
        guard let text = job.options.preCommand else { return }
        let command = command(text, record, nil)
        let outcome = try context.wait { await command.run() }
        note("pre", outcome)
        try context.cancellation.check()
        if let fault = outcome.fault {
            throw BackupError(
                .source, "the job's pre command \(fault), so nothing was backed up; the log has what it printed")
        }
    }

    /// Runs the other command, whatever became of the run; warnings where that fails.
    ///
    /// - Parameter error: what went wrong behind a complete backup.
    func runAfter(_ record: BackupRecord, error: (any Error)? = nil) -> [String] {
        guard let text = job.options.postCommand else { return [] }
        let command = command(text, record, error.map { "\($0)" } ?? record.errorMessage)
        do {
            let outcome = try context.waitRegardless { await command.run() }
            note("post", outcome)
            return outcome.fault.map { ["the job's post command \($0); the log has what it printed"] } ?? []
        } catch {
            return ["the job's post command could not be waited for: \(error)"]
        }
    }

    private func command(_ text: String, _ record: BackupRecord, _ error: String?) -> ChildCommand {
        var environment = ChildCommand.cleanEnvironment()
        environment["ELDER_BACKUP_JOB"] = job.name
        environment["ELDER_BACKUP_ID"] = "\(record.id)"
        environment["ELDER_BACKUP_STATUS"] = record.status.rawValue
        environment["ELDER_BACKUP_FILE"] = record.status == .completed ? record.filePath : ""
        // A variable takes no zero byte, and a program not more than so much.
        environment["ELDER_BACKUP_ERROR"] = String((error ?? "").filter { $0 != "\0" }.prefix(4000))
        return ChildCommand(
            path: "/bin/sh", arguments: ["-c", text], environment: environment,
            limit: .seconds(job.options.hookSeconds ?? JobRunOptions.standardHookSeconds))
    }

    private func note(_ kind: String, _ outcome: ChildCommand.Outcome) {
        logger.info(
            "a command of a job ended",
            metadata: [
                "job.id": "\(job.id)", "command": "\(kind)", "result": "\(outcome.fault ?? "status 0")",
                "output": "\(outcome.output.suffix(4000))",
            ])
    }
}
