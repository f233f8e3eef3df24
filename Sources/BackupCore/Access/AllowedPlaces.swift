/// What clients of the API may give a job to read from and to write to, beyond what is configured for all jobs.
package struct AllowedPlaces: Sendable, Equatable {
    /// `BACKUP_ALLOWED_SOURCES`.
    package var sources: [SourcePattern] = []
    /// `BACKUP_ALLOWED_S3_ENDPOINTS`.
    package var endpoints: [EndpointPattern] = []

    package init() {}
}

/// Databases that may be backed up: one, or all of a server.
package struct SourcePattern: Sendable, Equatable {
    private let place: DatabasePlace
    private let isWholeServer: Bool

    /// Stands in for the name of a database while the rest of the address is read.
    private static let anyName = "elder_backup_any"

    /// Reads an address without user and parameters, with `*` alone in place of the database's name for all of them.
    ///
    /// - Returns: nil for anything else.
    package init?(_ text: String) {
        let isWhole = text.hasSuffix("/*") && !text.lowercased().hasPrefix("sqlite")
        let address = isWhole ? text.dropLast() + SourcePattern.anyName : text[...]
        guard !address.contains("@"), !address.contains("?"), !address.contains("*") || address.hasPrefix("sqlite"),
            let place = try? DatabasePlace(String(address))
        else { return nil }
        self.place = place
        isWholeServer = isWhole
    }

    /// Exactly the database that is configured for all jobs.
    ///
    /// - Returns: nil where the address could be understood in two ways.
    package init?(configured address: DatabaseURL) {
        switch address {
        case .sqlite(let path): place = .file(path)
        case .postgresql(let server):
            let bare = server.connectionText.prefix { $0 != "?" }
            guard let place = try? DatabasePlace(String(bare)) else { return nil }
            self.place = place
        }
        isWholeServer = false
    }

    package func matches(_ other: DatabasePlace) -> Bool {
        switch (place, other) {
        case (.server(let host, let port, _), .server(let otherHost, let otherPort, _)) where isWholeServer:
            host == otherHost && port == otherPort
        default: place == other
        }
    }
}

/// A store's server, by host and port.
package struct EndpointPattern: Sendable, Equatable {
    /// As ``HostName`` writes it.
    package let host: String
    package let port: Int

    /// - Returns: nil for what is no host.
    package init?(host: String, port: Int) {
        guard let name = HostName.canonical(host) else { return nil }
        self.host = name
        self.port = port
    }

    /// Reads `HOST` or `HOST:PORT`; without a port the one of https is meant.
    package init?(_ text: String) {
        guard let (host, port) = HostName.split(text[...]) else { return nil }
        self.init(host: String(host), port: port ?? 443)
    }
}
