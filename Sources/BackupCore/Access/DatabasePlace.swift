internal import Foundation

/// Where a database lies, without who asks for it: read strictly, so that every program that reads the address
/// understands the same place.
package enum DatabasePlace: Sendable, Equatable {
    /// A SQLite file, by its path as it was given.
    case file(String)
    /// `host` as ``HostName`` writes it; empty for the socket of this machine.
    case server(host: String, port: Int, database: String)

    /// Parameters of libpq that neither read a file, nor run a program, nor lead elsewhere.
    private static let parameters: Set<String> = [
        "application_name", "channel_binding", "connect_timeout", "gssencmode", "keepalives", "keepalives_count",
        "keepalives_idle", "keepalives_interval", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode",
        "sslnegotiation", "target_session_attrs", "tcp_user_timeout",
    ]

    private static let standardPort = 5432

    /// - Throws: `usage`, with a reason that never repeats the address: it may hold a password.
    package init(_ text: String) throws(BackupError) {
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" && $0 != "#" }) else {
            throw DatabasePlace.refused("it holds a space, a control character, a backslash or a number sign")
        }
        let address: DatabaseURL
        do { address = try DatabaseURL(text) } catch { throw .field("source", error.message) }
        switch address {
        case .sqlite(let path):
            guard path.hasPrefix("/") else { throw DatabasePlace.refused("the path of its file is not absolute") }
            self = .file(path)
        case .postgresql(let server):
            self = try DatabasePlace.server(server.connectionText.dropFirst("postgresql:".count))
        }
    }

    private static func server(_ text: Substring) throws(BackupError) -> DatabasePlace {
        guard text.hasPrefix("//") else { throw refused("two slashes must follow postgresql:") }
        let parts = text.dropFirst(2).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1 { try check(parameters: parts[1]) }
        let path = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard path.count == 2, let name = path[1].removingPercentEncoding, !name.isEmpty, name.utf8.count <= 63,
            !name.contains(where: { "/=\0".contains($0) || $0.isNewline }), name != "*"
        else { throw refused("it must name one database behind one slash") }
        let (host, port) = try hostAndPort(path[0])
        return .server(host: host, port: port, database: name)
    }

    private static func hostAndPort(_ authority: Substring) throws(BackupError) -> (String, Int) {
        let halves = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count <= 2, let place = halves.last else {
            throw refused("it has more than one at sign: write %40 for one in a user's name or a password")
        }
        if halves.count == 2, halves[0].removingPercentEncoding == nil {
            throw refused("a percent sign in the user's name or the password is not written %25")
        }
        guard !place.isEmpty else { return ("", standardPort) }
        guard let (host, port) = HostName.split(place) else {
            throw refused("its port is not a number from 1 to 65535, or it names several hosts")
        }
        guard let name = HostName.canonical(host) else {
            throw refused("its host is no plain name and no plain address")
        }
        return (name, port ?? standardPort)
    }

    private static func check(parameters: Substring) throws(BackupError) {
        for parameter in parameters.split(separator: "&", omittingEmptySubsequences: false) {
            let pair = parameter.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, DatabasePlace.parameters.contains(String(pair[0])),
                pair[1].removingPercentEncoding != nil
            else {
                throw refused(
                    "behind its question mark only these may stand: "
                        + DatabasePlace.parameters.sorted().joined(separator: ", "))
            }
        }
    }

    private static func refused(_ reason: String) -> BackupError {
        .field("source", "the address cannot be taken (\(reason)): give postgresql://USER@HOST:PORT/DATABASE")
    }
}
