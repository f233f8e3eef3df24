import BackupCore
import BackupEngine

/// Reads the settings of one store: its own variables, and for a replica the primary's where it has none.
struct StoreReader {
    let values: SettingValues
    /// `BACKUP_S3_` or `BACKUP_S3_REPLICA_1_`.
    let prefix: String
    /// As the catalog names it.
    let name: String

    private var isReplica: Bool { prefix != StoreVariable.primaryPrefix }

    private func own(_ variable: StoreVariable) -> (name: String, text: String, origin: SettingOrigin)? {
        let name = prefix + variable.rawValue
        return values.variable(name).map { (name, $0.text, $0.origin) }
    }

    private var hasKeys: Bool { [.accessKey, .secretKey, .sessionToken].contains { own($0) != nil } }

    /// What holds for the store: its variable, or the one it is inherited from.
    func find(_ variable: StoreVariable) -> (name: String, text: String, origin: SettingOrigin)? {
        if let found = own(variable) { return found }
        if isReplica, variable.isInherited(hasEndpoint: own(.endpoint) != nil, hasKeys: hasKeys) {
            let primary = StoreReader(values: values, prefix: StoreVariable.primaryPrefix, name: "")
            return primary.find(variable).map { ($0.name, $0.text, $0.origin) }
        }
        if variable == .authorityFile, let (text, origin) = values.variable("AWS_CA_BUNDLE") {
            return ("AWS_CA_BUNDLE", text, origin)
        }
        return nil
    }

    private func read<Value>(_ variable: StoreVariable, _ parse: (String) -> Value?) throws(BackupError) -> Value? {
        guard let (name, text, origin) = find(variable) else { return nil }
        guard let value = parse(text) else {
            let shown = variable.isSecret ? "********" : text
            throw values.wrong(name, shown, origin, allowed: variable.allowed)
        }
        return value
    }

    /// - Throws: `configuration`, with variable, what was found and what is allowed.
    func settings() throws(BackupError) -> StoreSettings? {
        guard let bucket = try read(.bucket, StoreText.bucket) else { return nil }
        return try settings(bucket: bucket)
    }

    /// The settings but for the bucket, which the caller knows.
    func settings(bucket: String) throws(BackupError) -> StoreSettings {
        var store = StoreSettings(name: name, bucket: bucket)
        store.endpoint = try read(.endpoint) { $0 }.flatMap { $0.lowercased() == "aws" ? nil : $0 }
        store.region = try read(.region, StoreText.region) ?? store.region
        store.prefix = try read(.prefix, StoreText.prefix) ?? store.prefix
        store.keys = try keys()
        store.provider = try read(.provider) { text in RemoteSettings.providers.first { $0 == text.lowercased() } }
        store.addressing = try read(.addressing) { StoreSettings.Addressing(rawValue: $0.lowercased()) }
        store.createsBucket = try read(.createBucket, StoreText.boolean) ?? store.createsBucket
        store.verifiesFully = try read(.verify) { ["auto": false, "full": true][$0.lowercased()] } ?? false
        store.storageClass = try read(.storageClass, StoreText.storageClass)
        store.objectLock = try read(.objectLock, StoreText.objectLock)
        store.concurrency = try read(.concurrency) { text in Int(text).flatMap { (1...64).contains($0) ? $0 : nil } }
        store.memory = try read(.memory) { text in
            Quantity.bytes(text).flatMap { ((16 << 20)...(4 << 30)).contains($0) ? $0 : nil }
        }
        store.authorityFile = try authorityFile()
        try readEncryption(into: &store)
        if let reason = store.fault {
            throw BackupError(.configuration, complaint(reason))
        }
        return store
    }

    /// A fault of the settings together, in front of it the variables it comes from.
    private func complaint(_ fault: StoreSettings.Fault) -> String {
        guard let variable = StoreVariable(rawValue: fault.variable), let (name, text, origin) = find(variable) else {
            return "\(prefix)\(fault.variable): \(fault.reason)"
        }
        return "\(values.place(name, origin)) is \"\(Printable.line(String(text.prefix(80))))\": \(fault.reason)"
    }

    private func keys() throws(BackupError) -> StoreSettings.Keys? {
        let access = try read(.accessKey, StoreText.key)
        let secret = try read(.secretKey, StoreText.key)
        let token = try read(.sessionToken, StoreText.key)
        switch (access, secret) {
        case (let access?, let secret?):
            return StoreSettings.Keys(
                accessKey: access, secretKey: Secret(secret), sessionToken: token.map { Secret($0) })
        case (nil, nil):
            guard token == nil else {
                throw incomplete(.sessionToken, lacks: "\(prefix)ACCESS_KEY and \(prefix)SECRET_KEY are")
            }
            return nil
        case (.some, nil): throw incomplete(.accessKey, lacks: "\(prefix)SECRET_KEY is")
        case (nil, .some): throw incomplete(.secretKey, lacks: "\(prefix)ACCESS_KEY is")
        }
    }

    private func incomplete(_ variable: StoreVariable, lacks other: String) -> BackupError {
        BackupError(.configuration, "\(prefix)\(variable.rawValue) is set, and \(other) not: set both, or neither")
    }

    private func authorityFile() throws(BackupError) -> String? {
        guard let (name, text, origin) = find(.authorityFile) else { return nil }
        let path = Paths.absolute(text)
        if let reason = StoreText.unreadable(path) {
            throw BackupError(.configuration, "\(values.place(name, origin)): cannot read \(path): \(reason)")
        }
        return path
    }

    private func readEncryption(into store: inout StoreSettings) throws(BackupError) {
        let kind = try read(.encryption) { text in
            ["none", "aes256", "aws:kms", "sse-c"].contains(text.lowercased()) ? text.lowercased() : nil
        }
        let keyID = try read(.kmsKeyID, StoreText.key)
        if let (name, text, origin) = find(.customerKeyFile) {
            do {
                store.customerKey = try CustomerKeyFile.read(Paths.absolute(text))
            } catch {
                throw BackupError(.configuration, "\(values.place(name, origin)): \(error.message)")
            }
        }
        switch kind {
        case "aes256": store.encryption = .provider
        case "aws:kms": store.encryption = .kms(keyID: keyID)
        case "sse-c":
            guard store.customerKey != nil else {
                throw BackupError(
                    .configuration,
                    "\(prefix)SSE is \"sse-c\", and \(prefix)SSE_C_KEY_FILE is not set: name \(StoreVariable.customerKeyFile.allowed)"
                )
            }
            store.encryption = .customerKey
        default: store.encryption = .none
        }
        if own(.kmsKeyID) != nil, kind != "aws:kms" {
            throw BackupError(
                .configuration,
                "\(prefix)SSE_KMS_KEY_ID is set, and \(prefix)SSE is not aws:kms: set it so, or unset the id")
        }
    }

    /// The store's settings as `config show` prints them.
    func report(_ store: StoreSettings?) -> [SettingReport] {
        StoreVariable.allCases.map { variable in
            let found = find(variable)
            let value = found.map { variable.isSecret ? "********" : $0.text } ?? StoreReader.standard(variable)
            var origin = found?.origin ?? .standard
            if let found, found.name != prefix + variable.rawValue { origin = .inherited(found.name) }
            return SettingReport(name: prefix + variable.rawValue, value: value, origin: origin.text)
        }
    }

    private static func standard(_ variable: StoreVariable) -> String? {
        switch variable {
        case .region: "us-east-1"
        case .prefix: "elder/backups/"
        case .createBucket: "true"
        case .verify: "auto"
        case .encryption: "none"
        default: nil
        }
    }
}
