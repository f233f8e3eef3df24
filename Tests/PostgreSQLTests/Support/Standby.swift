import Foundation
import Testing

/// A standby of the test server, for as long as this lives: one at a time.
final class Standby: Sendable {
    /// Of its first database.
    private let server: String

    private static let script: String = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Servers/postgresql.sh").path

    init() throws {
        let words = try Standby.run("standby")
        server = try #require(words.split(separator: "=", maxSplits: 1).last.map(String.init), "\(words)")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit { _ = try? Standby.run("no-standby") }

    private static func run(_ verb: String) throws -> String {
        let data = try TestServer.value("ELDER_BACKUP_TEST_POSTGRESQL_DATA")
        let directory = URL(filePath: data).deletingLastPathComponent().path
        let (status, output, errors) = try TestServer.start(
            "/bin/bash", [script, verb], environment: ["ELDER_BACKUP_POSTGRESQL_DIR": directory])()
        guard status == 0 else { throw TestFailure(description: "\(verb) ended with \(status): \(errors)") }
        return output
    }

    /// A database of the primary, as it is here.
    func address(of database: ServerDatabase) -> String { server.dropLast("postgres".count) + database.name }

    private func rows(_ sql: String) throws -> [String] {
        try TestServer.run("psql", ["-qXAt", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", sql])
            .split(separator: "\n").map(String.init)
    }

    /// Waits until everything that the primary has done so far is done here, or waits for a query that is in the way.
    func catchUp(with database: ServerDatabase) throws {
        let position = try #require(try database.rows("SELECT pg_current_wal_lsn()").first)
        let query = """
            SELECT CASE WHEN pg_last_wal_replay_lsn() >= '\(position)' THEN 0 ELSE pid END
            FROM pg_stat_activity WHERE backend_type = 'startup'
            """
        let start = ContinuousClock.now
        while true {
            let process = try #require(try rows(query).first)
            if process == "0" || Standby.isWaiting(process) { return }
            guard ContinuousClock.now - start < .seconds(180) else {
                throw TestFailure(description: "the standby does not catch up in 180 s")
            }
        }
    }

    /// Whether the process that replays waits for a query to go. Its title says so after half a second; as a wait event
    /// it is not shown here: the query is told to go at once, and does not hear of it while it sends rows to a client that
    /// does not take them.
    private static func isWaiting(_ process: String) -> Bool {
        let title = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: title.prefix { $0 != 0 }, as: UTF8.self).hasSuffix(" waiting")
    }
}
