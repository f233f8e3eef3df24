internal import BackupCore
internal import DatabaseSource
internal import Foundation
internal import Glibc

/// From a database's address to the engine that serves it: the one place that knows which engines there are.
enum Databases {
    static func openSnapshot(_ url: DatabaseURL, options: SnapshotOptions) throws -> any DatabaseSnapshot {
        switch url {
        case .sqlite(let path): try SQLiteSnapshot.open(path: path, options: options)
        case .postgresql(let address): try PostgreSQLSnapshot.open(address, options: options)
        }
    }

    /// Where a database lies: equal for all addresses of it that differ only in who asks for it and how. Nil for an
    /// address that cannot be read.
    static func place(_ url: DatabaseURL) -> String? {
        switch url {
        case .sqlite(let path): "sqlite:" + resolved(path)
        case .postgresql(let address): address.place.map { "postgresql:" + $0 }
        }
    }

    /// The absolute path without symbolic links; as far as it is there.
    private static func resolved(_ path: String) -> String {
        let path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var missing = ""
        var present = path[...]
        while let slash = present.lastIndex(of: "/") {
            if let found = realpath(String(present), nil) {
                defer { free(found) }
                return String(cString: found) + missing
            }
            missing = present[slash...] + missing
            present = present[..<slash]
        }
        return path
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
