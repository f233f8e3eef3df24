/// Credentials that are given and stay.
public struct StaticCredentials: CredentialsProvider {
    private let given: Credentials

    /// Gives these for ever.
    public init(_ credentials: Credentials) { given = credentials }

    /// Those that were given.
    /// - Throws: ``S3Error`` of kind `credentials` where they hold characters that no header can carry.
    public func credentials() async throws -> Credentials { try given.checked() }

    /// Does nothing: there are no others.
    public func invalidate(_ refused: Credentials?) async {}
}
