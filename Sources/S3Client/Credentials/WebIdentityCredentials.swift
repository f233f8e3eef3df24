/// A role taken on with a token that the platform puts into a file and renews there, as Kubernetes does.
package struct WebIdentityCredentials: CredentialsSource {
    private let context: CredentialsContext
    private let tokenFile: String
    private let role: String
    private let sessionName: String?
    private let region: String?
    private let source: String

    /// - Returns: nil where `AWS_WEB_IDENTITY_TOKEN_FILE` is not set.
    /// - Throws: ``S3Error`` of kind `credentials` where it is set without `AWS_ROLE_ARN`.
    package init?(_ context: CredentialsContext) throws(S3Error) {
        guard let tokenFile = context.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
        guard let role = context.variable("AWS_ROLE_ARN") else {
            throw S3Error(
                .credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not; set both or neither")
        }
        self.init(
            context, tokenFile: tokenFile, role: role, sessionName: context.variable("AWS_ROLE_SESSION_NAME"),
            region: nil, source: "web identity, role \(role)")
    }

    init(
        _ context: CredentialsContext, tokenFile: String, role: String, sessionName: String?, region: String?,
        source: String
    ) {
        self.context = context
        self.tokenFile = tokenFile
        self.role = role
        self.sessionName = sessionName
        self.region = region
        self.source = source
    }

    package func fetch() async throws(S3Error) -> Credentials {
        guard let text = try await SmallFile.read(tokenFile, "\(source): the token file") else {
            throw S3Error(.credentials, "\(source): there is no token file \(tokenFile)")
        }
        guard let end = text.lastIndex(where: { !$0.isWhitespace }) else {
            throw S3Error(.credentials, "\(source): the token file \(tokenFile) is empty")
        }
        let token = String(text[...end])
        return try await SecurityTokenService(context, region: region).credentials(
            "AssumeRoleWithWebIdentity",
            [
                ("RoleArn", role), ("RoleSessionName", sessionName ?? Self.sessionName(context)),
                ("WebIdentityToken", token),
            ],
            signer: nil, secrets: [token], source: source)
    }

    /// What the provider's log calls this session where no name is set.
    static func sessionName(_ context: CredentialsContext) -> String { "s3client-\(Int64(context.now()))" }
}
