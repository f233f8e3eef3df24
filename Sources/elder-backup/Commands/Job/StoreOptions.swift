import ArgumentParser
import BackupCore
import FoundationEssentials

/// Where a job's backups are copied to, as far as that is not as configured for all.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Copy new backups: true, false, or configured.", valueName: "choice"))
    var s3Enabled: EnabledArgument?

    @Option(help: ArgumentHelp("The store's address, or aws; \"\" here and below: as configured.", valueName: "url"))
    var s3Endpoint: String?

    @Option(help: ArgumentHelp("The bucket.", valueName: "name"))
    var s3Bucket: String?

    @Option(help: ArgumentHelp("The region.", valueName: "name"))
    var s3Region: String?

    @Option(help: ArgumentHelp("The access key.", valueName: "id"))
    var s3AccessKey: String?

    @Option(help: ArgumentHelp("What stands in front of file names.", valueName: "text"))
    var s3Prefix: String?

    @Option(help: ArgumentHelp("The variable that holds the secret key.", valueName: "name"))
    var s3SecretKeyEnv: String?

    @Flag(help: "Read the secret key from standard input.")
    var s3SecretKeyStdin = false

    func validate() throws {
        if s3SecretKeyStdin, s3SecretKeyEnv != nil {
            throw ValidationError("Give either --s3-secret-key-env or --s3-secret-key-stdin.")
        }
    }

    func change() throws(BackupError) -> JobStoreChange {
        var change = JobStoreChange()
        change.choice = s3Enabled?.choice
        change.endpoint = s3Endpoint
        change.bucket = s3Bucket
        change.region = s3Region
        change.accessKey = s3AccessKey
        change.prefix = s3Prefix
        if let s3SecretKeyEnv {
            change.secretKey = try SecretInput.variable(s3SecretKeyEnv, option: "--s3-secret-key-env")
        } else if s3SecretKeyStdin {
            change.secretKey = try SecretInput.standardInput(option: "--s3-secret-key-stdin")
        }
        return change
    }
}

/// Whether copies are made: true, false, or as configured for all.
struct EnabledArgument: ExpressibleByArgument {
    let choice: JobStoreChange.Choice

    init?(argument: String) {
        switch argument.lowercased() {
        case "true", "on", "yes": choice = .on
        case "false", "off", "no": choice = .off
        case "configured": choice = .configured
        default: return nil
        }
    }
}

/// Secrets, which are never arguments: those of a process can be read by everyone on the machine.
enum SecretInput {
    /// - Parameter name: of an environment variable. Set to nothing, it takes the secret away.
    static func variable(_ name: String, option: String) throws(BackupError) -> Secret {
        guard let text = ProcessInfo.processInfo.environment[name] else {
            throw BackupError(
                .usage,
                "\(option): there is no such variable in the environment; give the variable's name, not the secret")
        }
        return Secret(text)
    }

    static func standardInput(option: String) throws(BackupError) -> Secret {
        guard let line = StandardInput.line(), !line.isEmpty else {
            throw BackupError(
                .usage, "\(option): a line with the secret is expected on standard input, of up to 1024 bytes")
        }
        return Secret(line)
    }
}
