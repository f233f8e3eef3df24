/// Credentials that were given and never change.
public struct StaticCredentials: CredentialsProvider {
    private let given: Credentials

    public init(_ credentials: Credentials) { given = credentials }

    public func credentials() async throws -> Credentials { given }

    public func invalidate() async {}
}
