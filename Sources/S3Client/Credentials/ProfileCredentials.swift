/// The credentials of a profile in `~/.aws/credentials` and `~/.aws/config`: its keys, a role that it takes on from
/// another profile's, or what its `credential_process` gives.
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
package struct ProfileCredentials: CredentialsSource {
    private static let telling = [
        "aws_access_key_id", "aws_secret_access_key", "role_arn", "credential_process", "sso_session", "sso_start_url",
    ]

    private let context: CredentialsContext
    private let profiles: ProfileSet
    private let name: String
    private let processLimit: Double

    /// - Parameter processLimit: for a `credential_process`, in seconds.
    /// - Returns: nil where neither `AWS_PROFILE` is set nor the profile `default` says anything of credentials.
    /// - Throws: ``S3Error`` of kind `credentials` for a file that cannot be read or understood.
    package init?(_ context: CredentialsContext, processLimit: Double = 60) async throws(S3Error) {
        self.context = context
        self.processLimit = processLimit
        profiles = try await ProfileSet.load(context)
        if let name = context.variable("AWS_PROFILE") ?? context.variable("AWS_DEFAULT_PROFILE") {
            self.name = name
        } else {
            guard let settings = profiles.profiles["default"], Self.telling.contains(where: { settings[$0] != nil })
            else { return nil }
            name = "default"
        }
    }

    package func fetch() async throws(S3Error) -> Credentials { try await resolve(name, below: []) }

    /// - Parameter above: the profiles that led here, the first one first.
    private func resolve(_ name: String, below above: [String]) async throws(S3Error) -> Credentials {
        guard let settings = profiles.profiles[name] else {
            let missing = above.last.map { "profile \"\($0)\": its source_profile" } ?? "the profile"
            throw S3Error(
                .credentials,
                "\(missing) \"\(name)\" is not in \(profiles.paths.joined(separator: " or ")); check AWS_PROFILE, and "
                    + "that the configuration file's section is [profile \(name)]")
        }
        let source = "profile \"\(name)\""
        if let role = settings["role_arn"] { return try await assume(role, name, settings, above) }
        if let found = try keys(of: settings, source) { return found }
        if let command = settings["credential_process"] { return try await run(command, source) }
        if settings["sso_session"] ?? settings["sso_start_url"] != nil {
            throw S3Error(
                .credentials,
                "\(source) signs in by SSO, which is not spoken here; set in another profile credential_process = "
                    + "aws configure export-credentials --profile \(name) --format process")
        }
        throw S3Error(
            .credentials,
            "\(source) holds none of aws_access_key_id with aws_secret_access_key, role_arn, credential_process")
    }

    private func keys(of settings: [String: String], _ source: String) throws(S3Error) -> Credentials? {
        let settings = settings.filter { !$0.value.isEmpty }
        switch (settings["aws_access_key_id"], settings["aws_secret_access_key"]) {
        case (nil, nil): return nil
        case (let key?, let secret?):
            return Credentials(
                accessKeyID: key, secretAccessKey: secret, sessionToken: settings["aws_session_token"], source: source)
        case (let key, _):
            let missing = key == nil ? "aws_access_key_id" : "aws_secret_access_key"
            throw S3Error(.credentials, "\(source) has no \(missing); set both keys or neither")
        }
    }

    private func assume(
        _ role: String, _ name: String, _ settings: [String: String], _ above: [String]
    ) async throws(S3Error) -> Credentials {
        let source = "profile \"\(name)\" (role \(role))"
        if let tokenFile = settings["web_identity_token_file"] {
            return try await WebIdentityCredentials(
                context, tokenFile: tokenFile, role: role, sessionName: settings["role_session_name"],
                region: settings["region"], source: source
            ).fetch()
        }
        if settings["mfa_serial"] != nil {
            throw S3Error(
                .credentials,
                "\(source) asks for a code of mfa_serial, which nobody can type here; use credential_process")
        }
        let signer = try await signer(name, settings, above, source)
        var parameters = [
            ("RoleArn", role),
            ("RoleSessionName", settings["role_session_name"] ?? WebIdentityCredentials.sessionName(context)),
        ]
        if let identifier = settings["external_id"] { parameters.append(("ExternalId", identifier)) }
        if let seconds = settings["duration_seconds"] { parameters.append(("DurationSeconds", seconds)) }
        return try await SecurityTokenService(context, region: settings["region"])
            .credentials("AssumeRole", parameters, signer: signer, secrets: [], source: source)
    }

    /// Who takes on the role.
    private func signer(
        _ name: String, _ settings: [String: String], _ above: [String], _ source: String
    ) async throws(S3Error) -> Credentials {
        if let sourceProfile = settings["source_profile"] {
            // A profile may name itself, for its own keys.
            if sourceProfile == name, let own = try keys(of: settings, source) { return try own.checked() }
            let path = above + [name]
            guard !path.contains(sourceProfile) else {
                throw S3Error(
                    .credentials,
                    "source_profile goes in a circle: \((path + [sourceProfile]).joined(separator: " → ")); end it with a "
                        + "profile that holds keys")
            }
            return try await resolve(sourceProfile, below: path).checked()
        }
        let found: Credentials?
        switch settings["credential_source"]?.lowercased() {
        case "environment": found = try EnvironmentCredentials.read(context.environment)
        case "ec2instancemetadata": found = try await InstanceCredentials(context)?.fetch()
        case "ecscontainer": found = try await ContainerCredentials(context)?.fetch()
        default:
            throw S3Error(
                .credentials,
                "\(source) has neither source_profile nor credential_source (Environment, Ec2InstanceMetadata or "
                    + "EcsContainer)")
        }
        guard let found else {
            throw S3Error(.credentials, "\(source): its credential_source has no credentials; check it or name another")
        }
        return try found.checked()
    }

    private func run(_ command: String, _ source: String) async throws(S3Error) -> Credentials {
        let origin = "the credential_process of \(source)"
        guard let words = ShellWords.split(command), !words.isEmpty else {
            throw S3Error(.credentials, "\(origin) has a quote that is not closed, or is empty")
        }
        let process = CredentialProcess(words: words, environment: context.environment, limit: processLimit)
        let document = try CredentialsDocument.decode(try await process.output(origin), from: origin)
        guard document.version == 1 else {
            throw S3Error(.credentials, "\(origin) gives another Version than 1")
        }
        return try document.credentials(source: "\(source) (credential_process)")
    }
}
