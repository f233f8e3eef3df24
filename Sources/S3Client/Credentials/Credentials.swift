internal import Foundation

/// A key, its secret, and where they came from. Its descriptions show neither secret nor token.
public struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Public: it goes with every request.
    public var accessKeyID: String
    /// Never leaves this process.
    public var secretAccessKey: String
    /// Comes with temporary credentials.
    public var sessionToken: String?
    /// Seconds since 1970; nil where they do not expire.
    public var expiration: Double?
    /// Where they were found, for a person: `environment AWS_ACCESS_KEY_ID`, `profile "backup"`, `instance role NAME`.
    public var source: String

    /// Credentials as they were found.
    public init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Double? = nil,
        source: String
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.source = source
    }

    /// The access key and the source; neither secret nor token.
    public var description: String { "credentials \(accessKeyID) from \(source)" }
    /// As ``description``.
    public var debugDescription: String { description }
}

/// Where credentials come from. Called once for each attempt of a request; an implementation keeps what it has for as
/// long as it is good.
public protocol CredentialsProvider: Sendable {
    /// - Throws: ``S3Error`` of kind `credentials`.
    func credentials() async throws -> Credentials
    /// Forgets what is kept, since a server called it expired.
    ///
    /// - Parameter refused: what the server refused; where something newer is kept by now, that stays. Nil: forget all.
    func invalidate(_ refused: Credentials?) async
}
