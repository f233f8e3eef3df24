internal import Glibc
public import Logging

/// What a client needs to know: where the store is, who asks, and how patiently.
public struct S3Configuration: Sendable {
    /// Where the store listens.
    public var endpoint: S3Endpoint
    /// As configured; the profile may know better (``ProviderProfile/signingRegion(configured:host:)``).
    public var region: String
    /// What the provider does differently.
    public var profile: ProviderProfile
    /// Asked once for each try of a request.
    public var credentials: any CredentialsProvider
    /// PEM file of the authorities to trust in place of the system's (`AWS_CA_BUNDLE`).
    public var certificateAuthorityFile: String?
    /// Nil: no proxy.
    public var proxies: ProxySettings?
    /// How patiently failed requests are tried again.
    public var retry = RetryPolicy()
    /// Host names and the addresses to connect to in place of asking the resolver, as `curl --resolve`.
    public var addresses: [String: String] = [:]
    /// Connections at one time; requests beyond wait.
    public var connections = 16
    /// In seconds, for the connection and its TLS handshake.
    public var connectTimeout = 10
    /// In seconds without a byte in either direction.
    public var inactivityTimeout = 60
    /// In seconds until the answer to CompleteMultipartUpload or a copy begins: some take minutes.
    public var longAnswerTimeout = 900
    /// The `User-Agent` of every request.
    public var userAgent = "S3Client"
    /// Told of requests that are tried again, at level debug.
    public var logger: Logger?
    /// This machine's clock, in seconds since 1970.
    public var clock: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// - Parameter profile: nil takes what the endpoint's host says.
    public init(
        endpoint: S3Endpoint, region: String = "us-east-1", profile: ProviderProfile? = nil,
        credentials: any CredentialsProvider
    ) {
        self.endpoint = endpoint
        self.region = region
        self.profile = profile ?? ProviderProfile.of(host: endpoint.host)
        self.credentials = credentials
    }
}
