/// Roles taken on through the Security Token Service, or through a store's own (MinIO's and Ceph's speak the same).
/// https://docs.aws.amazon.com/STS/latest/APIReference/
struct SecurityTokenService: Sendable {
    private let address: EndpointAddress
    private let region: String
    private let http: MetadataHTTP
    private let now: @Sendable () -> Double

    /// - Parameter region: where the environment has none.
    /// - Throws: ``S3Error`` of kind `credentials` where `AWS_ENDPOINT_URL_STS` is no address, `configuration` where a
    ///   proxy is none.
    init(_ context: CredentialsContext, region: String? = nil) throws(S3Error) {
        let region = context.region ?? region
        let host =
            switch region {
            case let region? where region.hasPrefix("cn-"): "sts.\(region).amazonaws.com.cn"
            case let region?: "sts.\(region).amazonaws.com"
            case nil: "sts.amazonaws.com"
            }
        address = try EndpointAddress(
            context.variable("AWS_ENDPOINT_URL_STS") ?? "https://\(host)",
            setting: context.variable("AWS_ENDPOINT_URL_STS") == nil ? "the region" : "AWS_ENDPOINT_URL_STS")
        self.region = region ?? "us-east-1"
        http = MetadataHTTP(
            limit: 5, attempts: 3, proxies: try ProxySettings.fromEnvironment(context.environment),
            certificateAuthorityFile: context.variable("AWS_CA_BUNDLE"))
        now = context.now
    }

    /// - Parameters:
    ///   - action: `AssumeRole` or `AssumeRoleWithWebIdentity`.
    ///   - signer: nil for a request without a signature.
    ///   - secrets: that no error may repeat, whatever the service answers.
    ///   - source: of the credentials that come back.
    func credentials(
        _ action: String, _ parameters: [(String, String)], signer: Credentials?, secrets: [String], source: String
    ) async throws(S3Error) -> Credentials {
        let form = ([("Action", action), ("Version", "2011-06-15")] + parameters)
            .map { "\($0)=\(PercentEncoding.query($1))" }.joined(separator: "&")
        var headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        if let signer { headers += signature(of: form, headers, by: signer) }
        let path = address.path.isEmpty ? "/" : address.path
        let answer = try await http.send(
            MetadataHTTP.Request(
                method: "POST", address: address.origin + path, headers: headers, body: Array(form.utf8)),
            to: "\(source): the token service \(address.hostHeader)")
        guard answer.status == 200 else {
            throw Self.refusal(answer, action, source, secrets + [signer?.secretAccessKey, signer?.sessionToken])
        }
        return try Self.read(answer.body, action, source)
    }

    private func signature(of form: String, _ headers: [(String, String)], by signer: Credentials) -> [(String, String)]
    {
        let request = SigningRequest(
            method: "POST", host: address.hostHeader,
            path: PercentEncoding.decode(address.path, plusIsSpace: false) ?? address.path, headers: headers,
            payloadHash: ContentHasher.digests(of: Array(form.utf8), .sha256).sha256Hex ?? "")
        return SignatureV4.sign(
            request, credentials: signer, region: region, service: "sts",
            date: SigningDate(secondsSince1970: Int64(now()))
        ).headers
    }

    private static func read(_ body: [UInt8], _ action: String, _ source: String) throws(S3Error) -> Credentials {
        do {
            let tree = try XMLTree.parse(body, root: action + "Response")
            let found = tree.child(action + "Result")?.child("Credentials")
            return try CredentialsDocument(
                accessKeyID: found?.child("AccessKeyId")?.text, secretAccessKey: found?.child("SecretAccessKey")?.text,
                sessionToken: found?.child("SessionToken")?.text, expiration: found?.child("Expiration")?.text
            ).credentials(source: source)
        } catch {
            throw error.kind == .credentials ? error : S3Error(.credentials, "\(source): \(error.message)")
        }
    }

    private static func refusal(
        _ answer: MetadataHTTP.Answer, _ action: String, _ source: String, _ secrets: [String?]
    ) -> S3Error {
        let tree = try? XMLTree.parse(answer.body)
        let error = tree?.name == "Error" ? tree : tree?.child("Error")
        var message = error?.child("Message")?.text ?? "without a message"
        for case let secret? in secrets where !secret.isEmpty {
            message = message.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
        return S3Error(
            .credentials,
            "\(source): \(action) is refused: \(message.prefix(500)); check the role's name, its trust policy and, for web "
                + "identity, the token's audience",
            operation: action, status: answer.status, code: error?.child("Code")?.text,
            requestID: tree?.child("RequestId")?.text ?? tree?.child("RequestID")?.text)
    }
}
