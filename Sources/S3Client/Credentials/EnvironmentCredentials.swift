/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary ones, `AWS_SESSION_TOKEN`.
package enum EnvironmentCredentials {
    /// - Returns: nil where neither key nor secret is set.
    /// - Throws: ``S3Error`` of kind `credentials` where only one of them is.
    package static func read(_ environment: [String: String]) throws(S3Error) -> Credentials? {
        let context = CredentialsContext(environment: environment, now: { 0 })
        switch (context.variable("AWS_ACCESS_KEY_ID"), context.variable("AWS_SECRET_ACCESS_KEY")) {
        case (nil, nil): return nil
        case (let key?, let secret?):
            return try Credentials(
                accessKeyID: key, secretAccessKey: secret, sessionToken: context.variable("AWS_SESSION_TOKEN"),
                source: "environment AWS_ACCESS_KEY_ID"
            ).checked()
        case (let key, _):
            let (set, missing) =
                key == nil
                ? ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") : ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            throw S3Error(.credentials, "\(set) is set but \(missing) is not; set both or neither")
        }
    }
}
