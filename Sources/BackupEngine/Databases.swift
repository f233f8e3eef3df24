internal import BackupCore
internal import DatabaseSource

/// From a database's address to the engine that serves it: the one place that knows which engines there are.
enum Databases {
    static func openSnapshot(_ url: DatabaseURL, options: SnapshotOptions) throws -> any DatabaseSnapshot {
        switch url {
        case .sqlite(let path): try SQLiteSnapshot.open(path: path, options: options)
        case .postgresql(let address): try PostgreSQLSnapshot.open(address, options: options)
        }
    }

    static func identities(_ url: DatabaseURL) -> any IdentityDirectory {
        switch url {
        case .sqlite(let path): SQLiteIdentities(path: path)
        case .postgresql(let address): PostgreSQLIdentities(address)
        }
    }

    static func target(_ url: DatabaseURL) -> any RestoreTarget {
        switch url {
        case .sqlite(let path): SQLiteTarget(path: path)
        case .postgresql(let address): PostgreSQLTarget(address)
        }
    }
}
