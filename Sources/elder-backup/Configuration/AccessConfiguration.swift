import BackupCore
import BackupEngine
import BackupService

/// The settings of who may call the service, and by which keys they are known.
enum AccessConfiguration {
    /// - Throws: `configuration` where one of the two files is named without the other.
    static func tls(_ values: SettingValues) throws(BackupError) -> TLSFiles? {
        let certificate = values.find(.tlsCertificate)?.text
        let key = values.find(.tlsKey)?.text
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            return TLSFiles(certificate: Paths.absolute(certificate), key: Paths.absolute(key))
        case (_, nil): throw missing(.tlsKey, beside: .tlsCertificate)
        case (nil, _): throw missing(.tlsCertificate, beside: .tlsKey)
        }
    }

    static func elder(_ values: SettingValues) throws(BackupError) -> ElderSettings {
        var elder = ElderSettings()
        // As Elder does: the one for its tokens, else the one for everything.
        elder.secret = (values.find(.elderKey) ?? values.find(.elderSecret)).map { Secret($0.text) }
        elder.publicKeyFiles = ServiceConfiguration.list(values.find(.elderPublicKeys)?.text ?? "").map(Paths.absolute)
        elder.issuer = values.find(.elderIssuer)?.text
        elder.audience = values.find(.elderAudience)?.text
        elder.admins = Set(try values.read(.elderAdmins, default: [], subjects))
        elder.looksUp = try values.read(.elderLookUp, default: elder.looksUp, StoreText.boolean)
        return elder
    }

    /// `7`, `access:7` or `portal_user:7`.
    private static func subjects(_ text: String) -> [String]? {
        let subjects = ServiceConfiguration.list(text)
        return subjects.allSatisfy { subject in
            let parts = subject.split(separator: ":", omittingEmptySubsequences: false)
            let isKnown = parts.count == 1 || (parts.count == 2 && ElderSubject.Kind(rawValue: String(parts[0])) != nil)
            return isKnown && (Int64(parts.last ?? "").map { $0 > 0 } ?? false)
        } ? subjects : nil
    }

    private static func missing(_ setting: Setting, beside other: Setting) -> BackupError {
        BackupError(
            .configuration,
            "\(other.rawValue) is set and \(setting.rawValue) is not: TLS needs both, \(setting.allowed)")
    }
}
