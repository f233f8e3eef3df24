/// A PostgreSQL connection URI (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING), or
/// `postgresql:` with nothing behind it: then the `PG*` variables, the service file and libpq's defaults say all.
///
/// Its description never holds a password.
package struct PostgreSQLAddress: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The whole address, its secrets included: for libpq and nothing else.
    package let connectionText: String

    /// - Parameter rest: what stands behind the colon of the scheme.
    package init(rest: Substring) {
        connectionText = "postgresql:" + (rest.isEmpty ? "//" : rest)
    }

    package var description: String { redacted }
    package var debugDescription: String { redacted }

    /// The address without its password and without parameters, some of which are secrets.
    package var redacted: String {
        var rest = connectionText.dropFirst("postgresql://".count)
        if let query = rest.firstIndex(of: "?") { rest = rest[..<query] }
        // A password may hold an unescaped slash or at sign by mistake: nothing of it may show.
        guard let at = rest.lastIndex(of: "@") else {
            return rest.contains(where: { $0 == ":" }) && !PostgreSQLAddress.isHostAndPort(rest)
                ? "postgresql://…" : "postgresql://" + rest
        }
        let user = rest[..<at].prefix { $0 != ":" && $0 != "@" && $0 != "/" }
        return "postgresql://\(user)@\(rest[rest.index(after: at)...])"
    }

    /// Whether what stands in front of the first slash is a list of hosts with ports that are numbers, and not a user
    /// with a password whose at sign was forgotten.
    private static func isHostAndPort(_ rest: Substring) -> Bool {
        let hosts = rest.prefix { $0 != "/" }
        return hosts.split(separator: ",").allSatisfy { host in
            if host.hasPrefix("[") { return true }
            guard let colon = host.firstIndex(of: ":") else { return true }
            return host[host.index(after: colon)...].allSatisfy { $0.isASCII && $0.isNumber }
        }
    }
}

extension PostgreSQLAddress {
    /// An address from its parts; each part may hold any character.
    package init(host: String, port: String, database: String, user: String, password: String) {
        var text = "//"
        if !user.isEmpty {
            text += PostgreSQLAddress.escape(user)
            if !password.isEmpty { text += ":" + PostgreSQLAddress.escape(password) }
            text += "@"
        }
        // A host that is a directory of sockets is escaped whole; the brackets of an IPv6 address stay.
        text += host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : PostgreSQLAddress.escape(host)
        if !port.isEmpty { text += ":" + port }
        text += "/" + PostgreSQLAddress.escape(database)
        if user.isEmpty, !password.isEmpty { text += "?password=" + PostgreSQLAddress.escape(password) }
        self.init(rest: text[...])
    }

    /// Percent-encoding of everything but the unreserved characters of RFC 3986.
    private static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { output, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                output.unicodeScalars.append(Unicode.Scalar(byte))
            default: output += "%" + String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
    }
}
