/// How an object is copied within a store.
public struct CopyOptions: Sendable, Equatable {
    /// What the copy is given. Its metadata replaces that of the source where ``replacesMetadata`` is set.
    public var put = PutOptions()
    /// Whether the copy has the metadata of ``put`` and not the source's.
    public var replacesMetadata = false
    /// Nil: the source's newest version.
    public var sourceVersionID: String?
    /// Of a source that is encrypted with it.
    public var sourceCustomerKey: CustomerKey?
    /// Refuse (412) where the source is another by now.
    public var sourceIfMatch: String?

    /// A plain copy, with the source's metadata.
    public init() {}

    func sourceHeaders(_ source: S3Object) -> [(String, String)] {
        let version = sourceVersionID.map { "?versionId=" + PercentEncoding.query($0) } ?? ""
        var headers = [("x-amz-copy-source", PercentEncoding.path("/" + source.bucket + "/" + source.key) + version)]
        if let key = sourceCustomerKey { headers += key.headers(prefix: "x-amz-copy-source-") }
        if let etag = sourceIfMatch { headers.append(("x-amz-copy-source-if-match", etag)) }
        return headers
    }
}

extension S3Client {
    /// Copies an object within the store: at most ``ProviderProfile/largestCopy`` bytes. The copy of an object that was
    /// sent in parts has another ETag.
    ///
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    public func copyObject(
        from source: S3Object, to target: S3Object, options: CopyOptions = CopyOptions()
    ) async throws -> PutResult {
        var request = S3Request("CopyObject", "PUT", target)
        request.headers = options.sourceHeaders(source) + (try options.put.headers(of: configuration.profile))
        if options.replacesMetadata { request.headers.append(("x-amz-metadata-directive", "REPLACE")) }
        request.patience = .long
        request.successRoot = "CopyObjectResult"
        let answer = try await execute(request)
        var result = PutResult(answer)
        result.etag = (try XMLTree.parse(answer.body).child("ETag")?.text ?? "").quotedTag
        return result
    }
}
