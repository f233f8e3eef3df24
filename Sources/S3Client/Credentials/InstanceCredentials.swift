/// The credentials of an EC2 instance's role, by the second version of its metadata service.
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
package struct InstanceCredentials: CredentialsSource {
    private static let path = "/latest/meta-data/iam/security-credentials/"

    private let context: CredentialsContext
    private let address: EndpointAddress

    /// - Returns: nil where `AWS_EC2_METADATA_DISABLED` is `true`.
    /// - Throws: ``S3Error`` of kind `credentials` where `AWS_EC2_METADATA_SERVICE_ENDPOINT` is no address.
    package init?(_ context: CredentialsContext) throws(S3Error) {
        if context.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
        self.context = context
        let isIPv6 = context.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
        let usual = isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
        address = try EndpointAddress(
            context.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? usual, setting: "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        )
    }

    package func fetch() async throws(S3Error) -> Credentials {
        let token = try await text(
            MetadataHTTP.Request(
                method: "PUT", address: url("/latest/api/token"),
                headers: [("x-aws-ec2-metadata-token-ttl-seconds", "21600")]),
            attempts: 1, missing: "gives no token")
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw S3Error(.credentials, "the instance metadata service gives a token that no header can carry")
        }
        let headers = [("x-aws-ec2-metadata-token", token)]
        let roles = try await text(
            MetadataHTTP.Request(address: url(Self.path), headers: headers), attempts: 3,
            missing: "knows no role; attach one to the instance")
        guard let role = roles.split(whereSeparator: \.isNewline).first.map(String.init) else {
            throw S3Error(.credentials, "the instance metadata service knows no role; attach one to the instance")
        }
        let document = try await text(
            MetadataHTTP.Request(address: url(Self.path + PercentEncoding.query(role)), headers: headers), attempts: 3,
            missing: "gives nothing for the role \(role.prefix(128))")
        return try CredentialsDocument.decode(Array(document.utf8), from: "the instance metadata service")
            .credentials(source: "instance role \(role)")
    }

    private func url(_ path: String) -> String {
        address.origin + (address.path.hasSuffix("/") ? String(address.path.dropLast()) : address.path) + path
    }

    private func text(
        _ request: MetadataHTTP.Request, attempts: Int, missing: String
    ) async throws(S3Error) -> String {
        let answer = try await MetadataHTTP(limit: 1, attempts: attempts)
            .send(request, to: "the instance metadata service \(address.hostHeader)")
        guard answer.status == 200 else {
            throw S3Error(.credentials, "the instance metadata service \(missing)", status: answer.status)
        }
        return String(decoding: answer.body, as: UTF8.self)
    }
}
