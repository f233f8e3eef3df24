internal import Foundation

/// The JSON in which containers, instances and credential processes give credentials. What it holds is never repeated in
/// an error, nor is what the decoder says of it.
struct CredentialsDocument: Decodable, Redacted {
    var version: Int?
    var code: String?
    var accessKeyID: String?
    var secretAccessKey: String?
    var token: String?
    var sessionToken: String?
    var expiration: String?

    enum CodingKeys: String, CodingKey {
        case version = "Version"
        case code = "Code"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case sessionToken = "SessionToken"
        case expiration = "Expiration"
    }

    /// - Parameter origin: for a person, in errors.
    static func decode(_ body: [UInt8], from origin: String) throws(S3Error) -> CredentialsDocument {
        do { return try JSONDecoder().decode(CredentialsDocument.self, from: Data(body)) } catch {
            throw S3Error(.credentials, "\(origin) gives something else than the JSON of credentials")
        }
    }

    func credentials(source: String) throws(S3Error) -> Credentials {
        if let code, code != "Success" {
            throw S3Error(.credentials, "\(source) gives no credentials but the code \(code.prefix(64))")
        }
        guard let accessKeyID, let secretAccessKey else {
            throw S3Error(.credentials, "\(source) gives no AccessKeyId and SecretAccessKey")
        }
        var end: Double?
        if let expiration, !expiration.isEmpty {
            guard let parsed = ISO8601Time.parse(expiration) else {
                throw S3Error(.credentials, "\(source) gives an Expiration that is no time of ISO 8601")
            }
            end = parsed
        }
        return Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken ?? token,
            expiration: end, source: source)
    }
}
