import Foundation

/// The Chinook sample database (https://github.com/lerocha/chinook-database), whose licence lies beside it.
enum Chinook {
    /// Statements that fill an empty database.
    static func script() throws -> String {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Chinook/Chinook_PostgreSql.sql.gz").path
        let (status, output, errors) = try TestServer.start("/usr/bin/env", ["gzip", "-dc", path])()
        guard status == 0 else { throw TestFailure(description: "gzip ended with \(status): \(errors)") }
        return output.split(separator: "\n").filter {
            !$0.hasPrefix("DROP DATABASE") && !$0.hasPrefix("CREATE DATABASE") && !$0.hasPrefix("\\c ")
        }.joined(separator: "\n")
    }
}
