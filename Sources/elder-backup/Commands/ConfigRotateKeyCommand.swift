import ArgumentParser
import BackupEngine

struct ConfigRotateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key",
        abstract: "Encrypt the secrets in the catalog with a new key.",
        discussion: """
            Without $BACKUP_SECRET_KEY a new key is made in secret.key in the backup
            directory, and takes the old one's place. With it, that is the new key, and
            $BACKUP_SECRET_KEY_OLD the one to read with. What is cut off is completed by
            the next run; until then both keys are needed.

            EXAMPLES:
              elder-backup config rotate-key
              BACKUP_SECRET_KEY=$NEW_KEY elder-backup config rotate-key
            """
    )

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let console = output.console
        let response = try await location.engine(console).rotateSecretKey()
        try console.finish(response) {
            "encrypted \(response.values) \(response.values == 1 ? "secret" : "secrets") of \(response.jobs) "
                + (response.jobs == 1 ? "job" : "jobs") + " with the new key"
        }
    }
}
