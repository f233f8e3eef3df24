package import BackupCore
internal import DatabaseSource

extension BackupEngine {
    /// Asks the configured database, which is Elder's, whether someone is an admin now.
    ///
    /// - Throws: `configuration` without a database; `source` where it cannot be asked.
    package func elderStanding(of subject: ElderSubject) async throws -> ElderStanding {
        guard let url = configuration.source else {
            throw BackupError(.configuration, "DATABASE_URL names no database to look Elder's users up in; set it")
        }
        return try await BlockingThread.run(named: "elder-standing") { _ in
            try Databases.identities(url).standing(of: subject)
        }
    }
}
