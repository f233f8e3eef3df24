internal import BackupCatalog
internal import BackupCore

/// What a change of the key of the catalog's secrets did.
package struct KeyRotationResponse: Sendable, Codable, Equatable {
    package var success = true
    /// Values that were encrypted anew.
    package var values: Int
    /// Jobs that they belong to.
    package var jobs: Int
}

extension BackupEngine {
    /// Encrypts all secrets in the catalog with a new key: that of the configuration, or a new one in the file.
    ///
    /// - Throws: `configuration`, naming the job, where a value cannot be read, and nothing is changed then; `locked` where
    ///   another process changes the key; `storage`, `catalog`.
    package func rotateSecretKey() async throws -> KeyRotationResponse {
        try await audited("config.rotate-key", describe: { "\($0.values) values of \($0.jobs) jobs" }) {
            try await BlockingThread.run(named: "rotate-key") { _ in
                let lock = try JobLock.acquire(directory: self.configuration.backupDirectory, jobUUID: "secret-key")
                let outcome = Result { try self.catalog.rotateKey() }
                _ = consume lock
                let counts = try outcome.get()
                return KeyRotationResponse(values: counts.values, jobs: counts.jobs)
            }
        }
    }
}
