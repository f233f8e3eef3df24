package import BackupCore
internal import CLibpq
internal import Glibc

extension PostgreSQLAddress {
    /// The host, port and database that libpq will connect to, from the address and, where that says nothing, from the
    /// environment and libpq's defaults (https://www.postgresql.org/docs/current/libpq-connect.html). Neither who
    /// connects nor how is part of it. Nil for an address that libpq cannot read.
    package var place: String? {
        var message: UnsafeMutablePointer<CChar>?
        let parsed = PQconninfoParse(connectionText, &message)
        if let message { PQfreemem(message) }
        guard let own = PostgreSQLAddress.values(parsed) else { return nil }
        // A service may name what the address leaves out; what it names is not looked up.
        let common = own["service"] == nil ? PostgreSQLAddress.values(PQconndefaults()) ?? [:] : [:]
        func value(_ keys: String...) -> String? {
            keys.compactMap { own[$0] }.first ?? keys.compactMap { common[$0] }.first
        }
        let host = value("host", "hostaddr")?.lowercased() ?? ""
        let database = value("dbname") ?? value("user") ?? ""
        let service = own["service"].map { "?service=\($0)" } ?? ""
        return "\(host):\(value("port") ?? "")/\(database)\(service)"
    }

    /// The options that have a value, by keyword; frees them.
    private static func values(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String]? {
        guard let options else { return nil }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val.map({ String(cString: $0) }), !value.isEmpty {
                values[String(cString: keyword)] = value
            }
            option += 1
        }
        return values
    }
}
