/// Speaks with an S3-compatible store: every operation that a backup needs, each tried again as the server bears it.
///
/// ```swift
/// let credentials = CredentialsChain(environment: ProcessInfo.processInfo.environment)
/// let endpoint = try S3Endpoint(parsing: "https://minio.example.com:9000")
/// let client = try S3Client(S3Configuration(endpoint: endpoint, credentials: credentials))
/// let object = S3Object("backups", "notes.txt")
/// try await client.putObject(object, .bytes(Array("hello".utf8)))
/// let (head, bytes) = try await client.getObject(object, limit: 1 << 20)
/// print(head.size, String(decoding: bytes, as: UTF8.self))
/// try await client.deleteObject(object)
/// await client.shutdown()
/// ```
///
/// Every operation throws ``S3Error``, or `CancellationError` where its task was cancelled. Operations may run at the
/// same time. The API reference is https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
public final class S3Client: Sendable {
    /// As given.
    public let configuration: S3Configuration
    let transport: HTTPTransport
    let memory = ServerMemory()

    /// - Throws: ``S3Error`` of kind `configuration`.
    public init(_ configuration: S3Configuration) throws {
        self.configuration = configuration
        transport = try HTTPTransport(configuration)
    }

    /// Closes all connections. To be called once, when no operation runs any more.
    public func shutdown() async { await transport.shutdown() }

    /// What a person may read the object's address as: `https://host/bucket/key`, encoded as a request would be.
    public func url(of object: S3Object) -> String {
        let place = configuration.endpoint.place(bucket: object.bucket, region: signingRegion(for: object.bucket))
        let path = PercentEncoding.path(place.path + object.key)
        return "\(configuration.endpoint.scheme.rawValue)://\(place.authority)\(path)"
    }

    /// The region that requests for a bucket are signed for: what the server told, else what the profile says.
    public func signingRegion(for bucket: String?) -> String {
        memory.region(of: bucket)
            ?? configuration.profile.signingRegion(
                configured: configuration.region, host: configuration.endpoint.host)
    }
}
