/// The credentials of a container's task or pod, from an agent next to it.
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
package struct ContainerCredentials: CredentialsSource {
    private static let source = "container"
    /// Of ECS and of EKS. Elsewhere plain http would carry the token and the keys through a network.
    private static let plainHosts = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"]

    private let context: CredentialsContext
    /// Where the agent is asked.
    package let address: EndpointAddress

    /// - Returns: nil where neither `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` nor `…_FULL_URI` is set.
    /// - Throws: ``S3Error`` of kind `credentials` for an address that must not be asked.
    package init?(_ context: CredentialsContext) throws(S3Error) {
        self.context = context
        if let relative = context.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            let name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
            guard relative.hasPrefix("/") else { throw S3Error(.credentials, "\(name) does not begin with /") }
            address = try EndpointAddress("http://169.254.170.2" + relative, setting: name)
        } else if let full = context.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
            address = try EndpointAddress(full, setting: name)
            let isNear = Self.plainHosts.contains(address.host) || IPAddressBytes(address.host)?.isLoopback == true
            guard address.isTLS || isNear else {
                throw S3Error(
                    .credentials,
                    "\(name) names the host \(address.host) over plain http; use https, loopback, 169.254.170.2 or "
                        + "169.254.170.23")
            }
        } else {
            return nil
        }
    }

    package func fetch() async throws(S3Error) -> Credentials {
        var headers = [("Accept", "application/json")]
        if let token = try await authorizationToken() { headers.append(("Authorization", token)) }
        let answer = try await MetadataHTTP(
            limit: 5, attempts: 3, certificateAuthorityFile: context.variable("AWS_CA_BUNDLE")
        ).send(
            MetadataHTTP.Request(address: address.origin + address.path + address.query, headers: headers),
            to: "container: the credentials endpoint \(address.hostHeader)")
        guard answer.status == 200 else {
            let code = (try? CredentialsDocument.decode(answer.body, from: Self.source))?.code
            throw S3Error(
                .credentials,
                "container: the credentials endpoint \(address.hostHeader) refuses; check the task's role, or the pod's",
                status: answer.status, code: code.map { String($0.prefix(64)) })
        }
        return try CredentialsDocument.decode(answer.body, from: "the container's credentials endpoint")
            .credentials(source: Self.source)
    }

    private func authorizationToken() async throws(S3Error) -> String? {
        let token: String
        let origin: String
        if let path = context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let text = try await SmallFile.read(path, "container: the token file") else {
                throw S3Error(.credentials, "container: there is no token file \(path)")
            }
            (token, origin) = (text, "the file \(path) of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        } else if let text = context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            (token, origin) = (text, "AWS_CONTAINER_AUTHORIZATION_TOKEN")
        } else {
            return nil
        }
        guard token.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw S3Error(.credentials, "\(origin) holds a line break or a character that no header can carry")
        }
        return token
    }
}
