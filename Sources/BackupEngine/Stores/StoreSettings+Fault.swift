internal import S3Client

extension RemoteSettings {
    /// The names of the providers' profiles that can be forced.
    package static let providers: [String] = (ProviderProfile.all + [.generic]).map(\.name)
}

extension StoreSettings {
    /// What makes no sense about a store's settings together.
    package struct Fault: Sendable, Equatable {
        /// What follows `BACKUP_S3_` in the name of the variable to change.
        package var variable: String
        /// Why, and what is allowed, one line.
        package var reason: String
    }

    /// Finds what could only fail later, at the store.
    package var fault: Fault? {
        let place: S3Endpoint
        do {
            place = try s3Endpoint()
        } catch let error as S3Error {
            return Fault(variable: "ENDPOINT", reason: error.message)
        } catch {
            return Fault(variable: "ENDPOINT", reason: "\(error)")
        }
        let profile = profile(of: place)
        if let storageClass, let known = profile.storageClasses, !known.contains(storageClass) {
            return Fault(
                variable: "STORAGE_CLASS", reason: "\(profile.title) has \(known.sorted().joined(separator: ", "))")
        }
        if let storageClass, ["GLACIER", "DEEP_ARCHIVE"].contains(storageClass), !isProvenByAnswer(profile) {
            return Fault(
                variable: "STORAGE_CLASS",
                reason:
                    "what lies in that class cannot be read back, which is what would prove an upload here; allowed "
                    + "is another class, or \(variablePrefix)VERIFY=auto without a key of your own and, where the "
                    + "provider is known, its name in \(variablePrefix)PROVIDER")
        }
        if let wanted = wantedEncryption, !profile.encryptions.contains(wanted) {
            let known = ["none"] + profile.encryptions.map(\.rawValue).sorted()
            return Fault(variable: "SSE", reason: "\(profile.title) takes \(known.joined(separator: ", "))")
        }
        if objectLock != nil, !profile.objectLock {
            return Fault(variable: "OBJECT_LOCK", reason: "\(profile.title) has no object lock; unset it")
        }
        return nil
    }

    func s3Endpoint() throws -> S3Endpoint {
        let addressing = addressing.map { $0 == .host ? S3Addressing.host : .path }
        guard let endpoint else {
            var amazon = S3Endpoint.aws(region: region)
            if let addressing { amazon.addressing = addressing }
            return amazon
        }
        return try S3Endpoint(parsing: endpoint, addressing: addressing)
    }

    func profile(of endpoint: S3Endpoint) -> ProviderProfile {
        provider.flatMap(ProviderProfile.named) ?? ProviderProfile.of(host: endpoint.host)
    }

    /// Whether the store's answers prove an upload, so that nothing need be read back.
    private func isProvenByAnswer(_ profile: ProviderProfile) -> Bool {
        if verifiesFully { return false }
        if profile.checksum != nil { return true }
        return profile.etagIsMD5 && (encryption == .none || encryption == .provider)
    }

    private var wantedEncryption: ProviderProfile.Encryption? {
        switch encryption {
        case .none: nil
        case .provider: .s3
        case .kms: .kms
        case .customerKey: .customerKey
        }
    }
}
