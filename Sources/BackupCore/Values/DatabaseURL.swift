/// The address of a database, as `--source`, `--into` and `DATABASE_URL` give it.
package enum DatabaseURL: Sendable, Equatable {
    /// A SQLite file, by its path.
    case sqlite(path: String)
    /// A PostgreSQL database, by its connection URI.
    case postgresql(PostgreSQLAddress)

    /// Reads `sqlite:PATH` (relative or absolute), `sqlite:///PATH` (absolute, four slashes as some libraries write
    /// it included) or `sqlite://PATH` (relative, as PyDAL writes it); `postgresql://…` and `postgres://…`, with the name
    /// of a driver behind a plus sign or without (`postgresql+psycopg2://…`), or `postgresql:` alone.
    package init(_ text: String) throws(BackupError) {
        guard let colon = text.firstIndex(of: ":") else {
            throw DatabaseURL.unknown("no scheme")
        }
        var rest = text[text.index(after: colon)...]
        switch text[..<colon].lowercased() {
        case "sqlite", "sqlite3":
            if rest.hasPrefix("//") {
                rest = rest.dropFirst(2)
                while rest.hasPrefix("//") { rest = rest.dropFirst() }
            }
            guard !rest.isEmpty, rest != "/" else { throw DatabaseURL.unknown("no path") }
            guard rest != ":memory:" else { throw DatabaseURL.unknown("an in-memory database has nothing to keep") }
            self = .sqlite(path: String(rest))
        case let scheme where ["postgresql", "postgres"].contains(scheme.prefix { $0 != "+" }):
            guard rest.isEmpty || rest.hasPrefix("//") else {
                throw DatabaseURL.unknown("two slashes must follow postgresql:")
            }
            self = .postgresql(PostgreSQLAddress(rest: rest))
        case let scheme:
            throw DatabaseURL.unknown("scheme \"\(scheme.prefix(32))\"")
        }
    }

    /// The text never repeats the address: it may hold a password.
    private static func unknown(_ reason: String) -> BackupError {
        BackupError(
            .usage,
            "not a database address (\(reason)): give sqlite:PATH, sqlite:///ABSOLUTE/PATH or "
                + "postgresql://USER@HOST:PORT/DATABASE"
        )
    }

    /// The address without anything secret, for logs and records.
    package var redacted: String {
        switch self {
        case .sqlite(let path): "sqlite:" + path
        case .postgresql(let address): address.redacted
        }
    }
}
