extension DatabaseURL {
    /// The address as a job shows it: where there is a password, or parameters, which may hold one, the mask of secrets
    /// stands for them.
    package var masked: String {
        guard case .postgresql(let address) = self, keepsSecrets else { return redacted }
        let mask = Secret("").description
        let text = address.redacted
        let rest = address.connectionText.dropFirst("postgresql://".count)
        let path = rest.prefix { $0 != "?" }
        let end = path.count < rest.count ? "?" + mask : ""
        guard let at = text.lastIndex(of: "@"), let last = path.lastIndex(of: "@"), path[..<last].contains(":") else {
            return text + end
        }
        return text[..<at] + ":" + mask + text[at...] + end
    }

    /// Whether the address holds more than may be shown.
    package var keepsSecrets: Bool {
        switch self {
        case .sqlite: false
        case .postgresql(let address): address.connectionText != address.redacted
        }
    }
}
