import BackupCore
import Glibc

/// Paths as they are kept: a job runs from any directory, so what it holds must not depend on one.
enum Paths {
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        let base = String(cString: directory)
        let rest = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return base == "/" ? "/" + rest : base + "/" + rest
    }

    static func absolute(_ address: DatabaseURL) -> DatabaseURL {
        switch address {
        case .sqlite(let path): .sqlite(path: absolute(path))
        case .postgresql: address
        }
    }
}
