/// One place where credentials may come from. It is asked anew for each fetch and keeps nothing.
package protocol CredentialsSource: Sendable {
    /// - Throws: ``S3Error`` of kind `credentials` that says which source failed, why, and what to do.
    func fetch() async throws(S3Error) -> Credentials
}

/// What every source needs of its surroundings.
package struct CredentialsContext: Sendable, Redacted {
    package var environment: [String: String]
    /// Seconds since 1970.
    package var now: @Sendable () -> Double

    package init(environment: [String: String], now: @escaping @Sendable () -> Double) {
        self.environment = environment
        self.now = now
    }

    /// A variable that is set to something; an empty one is as good as none.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The region that services other than S3 are spoken to in.
    var region: String? { variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") }
}

extension Credentials {
    /// These, if they can be sent at all: what a file or a variable holds mostly fails by a line break at its end.
    func checked() throws(S3Error) -> Credentials {
        func isVisible(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        let faulty: String? =
            if !isVisible(accessKeyID) {
                "access key"
            } else if !isVisible(secretAccessKey) {
                "secret key"
            } else if sessionToken.map(isVisible) == false {
                "session token"
            } else {
                nil
            }
        guard let faulty else { return self }
        throw S3Error(
            .credentials,
            "the \(faulty) from \(source) is empty or holds white space or characters beyond ASCII; copy it anew, "
                + "without a line break at its end")
    }
}
