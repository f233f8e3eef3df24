import ArgumentParser
import BackupCore
import BackupEngine

struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. Its text is shown once, and kept nowhere.",
        discussion: """
            EXAMPLES:
              elder-backup token create --name ci --role viewer
              elder-backup token create --name night --role operator --expires 90d
            """
    )

    @Option(help: "What the token is for; unique among those that are valid.")
    var name: String

    @Option(help: "viewer, operator or admin.")
    var role: AccessRole

    @Option(help: ArgumentHelp("After this time it is refused; never without it.", valueName: "time"))
    var expires: String?

    @OptionGroup var location: LocationOptions

    @OptionGroup var output: OutputOptions

    private static let longest = Duration.seconds(100 * 366 * 86_400)

    func validate() throws {
        if let expires {
            guard let lifetime = Quantity.duration(expires), lifetime >= .seconds(1),
                lifetime <= TokenCreateCommand.longest
            else { throw ValidationError("--expires must be a time such as 90d or 12h, up to 36600d.") }
        }
    }

    func run() async throws {
        let console = output.console
        let lifetime = expires.flatMap(Quantity.duration)
        let response = try await location.engine(console).createToken(name: name, role: role, lifetime: lifetime)
        try console.finish(response) { response.text }
        console.note("this is the only time that the token is shown; send it as: Authorization: Bearer TOKEN")
    }
}

extension AccessRole: ExpressibleByArgument {}
