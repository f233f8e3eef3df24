internal import BackupCore
package import Logging
internal import S3Client

/// What a check of a store found, step by step.
package struct StoreCheckResponse: Sendable, Codable, Equatable {
    package struct Step: Sendable, Codable, Equatable {
        package var name: String
        /// `pass`, `fail`, `not permitted, not needed`, `not supported, not needed`, `skipped`.
        package var outcome: String
        package var detail: String
        /// The provider's code of a failure.
        package var code: String?
        /// What to do about a failure.
        package var advice: String?
    }

    package var ok: Bool
    package var store: String
    package var provider: String
    package var endpoint: String
    package var bucket: String
    package var steps: [Step]
}

extension BackupEngine {
    /// Tries a configured store from its name's resolution to a delete, whether or not new backups go there.
    ///
    /// - Parameter name: `s3`, or `replica-1` and so on.
    /// - Throws: `configuration` where no such store is configured; `cancelled`. What fails at the store is a step.
    package static func checkStore(
        _ name: String, of settings: RemoteSettings?, logger: Logger
    ) async throws -> StoreCheckResponse {
        let stores = Stores(settings, logger: logger)
        return try await check(try stores.store(name), of: stores)
    }

    /// The same for a store that a job's backups go to.
    ///
    /// - Throws: `notFound`; `configuration` also where the job's secret key cannot be read; `cancelled`.
    package func checkStore(_ name: String, of job: JobReference) async throws -> StoreCheckResponse {
        let (stores, store) = try await BlockingThread.run(named: "check") { _ in
            let job = try self.findJob(job)
            let stores = Stores(
                self.configuration.remote, basis: self.configuration.remoteBasis, catalog: self.catalog,
                logger: self.logger)
            return (stores, try stores.store(name, ofJob: job.id))
        }
        return try await BackupEngine.check(store, of: stores)
    }

    private static func check(_ store: RemoteStore, of stores: Stores) async throws -> StoreCheckResponse {
        let settings = store.settings
        let probe = S3Probe(
            store.client.configuration, bucket: settings.bucket, prefix: settings.prefix,
            mayCreateBucket: settings.createsBucket, put: store.checkOptions)
        let findings: [ProbeFinding]
        do {
            findings = try await probe.run()
        } catch {
            await stores.shutdown()
            throw BackupError(.cancelled, "cancelled")
        }
        await stores.shutdown()
        return StoreCheckResponse(
            ok: !findings.contains { $0.outcome == .fail }, store: store.name,
            provider: store.client.configuration.profile.title, endpoint: store.place, bucket: settings.bucket,
            steps: findings.map { StoreCheckResponse.Step($0, settings) })
    }
}

extension StoreCheckResponse.Step {
    init(_ finding: ProbeFinding, _ settings: StoreSettings) {
        name = finding.step.rawValue
        outcome = finding.outcome.rawValue
        detail = finding.detail
        code = finding.error?.code
        // Why there is no way to a store, the detail says itself.
        let needsAdvice = finding.outcome == .fail && finding.error?.kind != .transport
        advice = needsAdvice ? finding.error.flatMap { RemoteFault.advice($0, settings) } : nil
    }
}

extension RemoteStore {
    /// What real archives are given, so that a check finds what would be refused.
    fileprivate var checkOptions: PutOptions {
        var put = PutOptions()
        put.contentType = "application/gzip"
        put.storageClass = settings.storageClass
        put.encryption = encryption
        put.lock = lock
        return put
    }
}
