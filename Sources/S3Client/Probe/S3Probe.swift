internal import Foundation

/// Tries a store as a user of it would: from its name's resolution to a delete, each step by itself.
///
/// It writes objects of its own under the prefix, with random names, and deletes them.
public struct S3Probe: Sendable {
    let configuration: S3Configuration
    let bucket: String
    let prefix: String
    let mayCreateBucket: Bool
    let put: PutOptions
    /// Real objects are locked: a bucket that is made gets object lock, and one without is no use.
    let needsLock: Bool

    /// - Parameters:
    ///   - put: what real objects will be given, so that what is refused is found here.
    public init(
        _ configuration: S3Configuration, bucket: String, prefix: String, mayCreateBucket: Bool, put: PutOptions
    ) {
        var configuration = configuration
        // A person waits for the answer.
        configuration.retry.attempts = min(configuration.retry.attempts, 3)
        configuration.retry.deadline = .seconds(60)
        configuration.connectTimeout = min(configuration.connectTimeout, 5)
        configuration.inactivityTimeout = min(configuration.inactivityTimeout, 20)
        self.configuration = configuration
        self.bucket = bucket
        self.prefix = prefix
        self.mayCreateBucket = mayCreateBucket
        needsLock = put.lock != nil
        var put = put
        // A locked probe could not be deleted again.
        put.lock = nil
        self.put = put
    }

    /// - Parameter found: told of each finding as it comes.
    /// - Returns: one finding for each step, in order.
    /// - Throws: `CancellationError` only: whatever else fails is a finding.
    public func run(found: @escaping @Sendable (ProbeFinding) -> Void = { _ in }) async throws -> [ProbeFinding] {
        var report = ProbeReport(found: found)
        try await probeNetwork(&report)
        guard !report.hasFailed else { return report.finish() }
        let client: S3Client
        do {
            client = try S3Client(configuration)
        } catch let error as S3Error {
            report.add(.tls, .fail, error.message, error)
            return report.finish()
        }
        do {
            try await probeStore(client, &report)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        return report.finish()
    }

    private func probeNetwork(_ report: inout ProbeReport) async throws {
        let endpoint = configuration.endpoint
        let region = configuration.profile.signingRegion(configured: configuration.region, host: endpoint.host)
        let authority = endpoint.place(bucket: bucket, region: region).authority
        let network = NetworkProbe(configuration, authority: authority)
        try await report.take(.nameResolution) { try await network.resolve() }
        guard !report.hasFailed else { return }
        try await report.take(.connection) { try await network.connect() }
        guard !report.hasFailed else { return }
        if endpoint.scheme == .https {
            try await report.take(.tls) { try await network.shakeHands() }
        } else {
            report.add(.tls, .pass, "not asked for: the endpoint begins with http://, so data go unencrypted")
        }
        guard !report.hasFailed else { return }
        try await report.take(.clock) { try await network.compareClocks() }
    }

    private func probeStore(_ client: S3Client, _ report: inout ProbeReport) async throws {
        try await report.take(.credentials) {
            let credentials = try await configuration.credentials.credentials()
            return "\(credentials.accessKeyID) from \(credentials.source)"
        }
        guard !report.hasFailed else { return }
        let objects = ObjectProbe(client, self)
        try await objects.probeBucket(&report)
        guard !report.hasFailed else { return }
        try await objects.probeObjects(&report)
    }
}

/// Findings as they come.
struct ProbeReport {
    private(set) var findings: [ProbeFinding] = []
    private let found: @Sendable (ProbeFinding) -> Void

    init(found: @escaping @Sendable (ProbeFinding) -> Void) { self.found = found }

    var hasFailed: Bool { findings.contains { $0.outcome == .fail } }

    mutating func add(_ step: ProbeStep, _ outcome: ProbeFinding.Outcome, _ detail: String, _ error: S3Error? = nil) {
        let finding = ProbeFinding(step, outcome, detail, error: error)
        findings.append(finding)
        found(finding)
    }

    /// Runs a step; what it returns is the finding's detail.
    mutating func take(_ step: ProbeStep, _ body: () async throws -> String) async throws {
        do {
            add(step, .pass, try await body())
        } catch let error as S3Error {
            add(step, .fail, "\(error)", error)
        }
    }

    /// The same for a step that nothing needs.
    mutating func takeOptional(_ step: ProbeStep, _ body: () async throws -> String) async throws {
        do {
            add(step, .pass, try await body())
        } catch let error as S3Error {
            let isForbidden = error.status == 403 || error.status == 401
            let isUnknown = [400, 404, 405, 501].contains(error.status ?? 0)
            add(step, isForbidden ? .notPermitted : isUnknown ? .unsupported : .fail, "\(error)", error)
        }
    }

    /// All steps in their order; those that were not reached are there too.
    mutating func finish() -> [ProbeFinding] {
        let done = Set(findings.map(\.step))
        for step in ProbeStep.allCases where !done.contains(step) {
            add(step, .skipped, "an earlier step failed")
        }
        return findings.enumerated().sorted { first, second in
            let order = ProbeStep.allCases
            let places = (order.firstIndex(of: first.element.step) ?? 0, order.firstIndex(of: second.element.step) ?? 0)
            return places.0 == places.1 ? first.offset < second.offset : places.0 < places.1
        }.map(\.element)
    }
}
