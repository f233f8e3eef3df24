/// What a presigned address allows.
public enum PresignedMethod: String, Sendable, Equatable {
    case get = "GET"
    case put = "PUT"
    case head = "HEAD"
    case delete = "DELETE"
}

extension S3Client {
    /// An address that lets whoever has it do one thing with one object, without credentials, for a time.
    ///
    /// - Parameter seconds: 1 to 604,800, a week; temporary credentials may end it sooner.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    public func presign(
        _ method: PresignedMethod, _ object: S3Object, expiresIn seconds: Int
    ) async throws -> String {
        guard (1...604_800).contains(seconds) else {
            throw S3Error(
                .configuration, "a presigned address lasts 1 to 604800 seconds, not \(seconds)", bucket: object.bucket,
                key: object.key)
        }
        let region = signingRegion(for: object.bucket)
        let endpoint = configuration.endpoint
        let place = endpoint.place(bucket: object.bucket, region: region)
        return SignatureV4.presign(
            method: method.rawValue, scheme: endpoint.scheme.rawValue, host: place.authority,
            path: place.path + object.key, query: [], expiresIn: seconds,
            credentials: try await configuration.credentials.credentials(), region: region,
            date: SigningDate(secondsSince1970: now()))
    }
}
