internal import Foundation

/// Credentials from the first place that is set up, in this order: given explicitly; the environment
/// (`AWS_ACCESS_KEY_ID`); web identity (`AWS_WEB_IDENTITY_TOKEN_FILE`); profiles (`AWS_PROFILE`, `~/.aws`); a container's
/// agent (`AWS_CONTAINER_CREDENTIALS_…`); an EC2 instance's role.
///
/// A place that is set up and fails is an error that names it: the next one might hold another account's keys. What
/// was found is kept until 15 minutes before its end, and fetched once for all who wait.
/// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
public struct CredentialsChain: CredentialsProvider {
    private let kept: RefreshingCredentials

    /// - Parameters:
    ///   - environment: of the process. Files below `HOME` are read, programs are sought in `PATH`.
    ///   - explicit: go before all others.
    public init(environment: [String: String], explicit: Credentials? = nil) {
        self.init(environment: environment, explicit: explicit, now: { Date().timeIntervalSince1970 })
    }

    /// - Parameter now: in seconds since 1970.
    package init(environment: [String: String], explicit: Credentials? = nil, now: @escaping @Sendable () -> Double) {
        let context = CredentialsContext(environment: environment, now: now)
        kept = RefreshingCredentials(Selection(context: context, explicit: explicit), now: now)
    }

    /// Those that are kept, or new ones.
    /// - Throws: ``S3Error`` of kind `credentials` that says which place failed, or what to set up; of kind `cancelled`; of kind
    ///   `configuration` for a proxy that is none.
    public func credentials() async throws -> Credentials { try await kept.credentials() }

    /// The next call fetches new ones.
    public func invalidate(_ refused: Credentials?) async { await kept.invalidate(refused) }

    private struct Selection: CredentialsSource {
        var context: CredentialsContext
        var explicit: Credentials?

        func fetch() async throws(S3Error) -> Credentials {
            if let explicit { return explicit }
            if let found = try EnvironmentCredentials.read(context.environment) { return found }
            if let source = try WebIdentityCredentials(context) { return try await source.fetch() }
            if let source = try await ProfileCredentials(context) { return try await source.fetch() }
            if let source = try ContainerCredentials(context) { return try await source.fetch() }
            guard let source = try InstanceCredentials(context) else { throw Self.nothing(nil) }
            do { return try await source.fetch() } catch {
                throw error.kind == .cancelled ? error : Self.nothing(error)
            }
        }

        /// - Parameter last: how the last place of all failed, which is asked without being set up.
        private static func nothing(_ last: S3Error?) -> S3Error {
            S3Error(
                .credentials,
                "no credentials: set BACKUP_S3_ACCESS_KEY and BACKUP_S3_SECRET_KEY, or AWS_ACCESS_KEY_ID and "
                    + "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
                    + (last.map { " (\($0.message))" } ?? ""),
                status: last?.status)
        }
    }
}
