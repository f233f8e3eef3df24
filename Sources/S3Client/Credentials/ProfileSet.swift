/// The profiles of both files; where both have a setting, the credentials file's counts.
struct ProfileSet: Sendable, Redacted {
    let profiles: ProfileFile.Profiles
    /// For errors.
    let paths: [String]

    /// - Throws: ``S3Error`` of kind `credentials` for a file that is there and cannot be read.
    static func load(_ context: CredentialsContext) async throws(S3Error) -> ProfileSet {
        let configuration = path(context, "AWS_CONFIG_FILE", "/.aws/config")
        let credentials = path(context, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials")
        var profiles: ProfileFile.Profiles = [:]
        if let configuration, let text = try await SmallFile.read(configuration, "the configuration file") {
            profiles = try ProfileFile.parse(text, .configuration, path: configuration)
        }
        if let credentials, let text = try await SmallFile.read(credentials, "the credentials file") {
            for (name, settings) in try ProfileFile.parse(text, .credentials, path: credentials) {
                profiles[name, default: [:]].merge(settings) { $1 }
            }
        }
        return ProfileSet(profiles: profiles, paths: [credentials, configuration].compactMap(\.self))
    }

    private static func path(_ context: CredentialsContext, _ name: String, _ usual: String) -> String? {
        guard let home = context.variable("HOME") else { return context.variable(name) }
        guard let path = context.variable(name) else { return home + usual }
        return path.hasPrefix("~/") ? home + path.dropFirst() : path
    }
}
