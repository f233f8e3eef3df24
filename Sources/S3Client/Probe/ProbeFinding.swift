/// What one step of a probe found.
public struct ProbeFinding: Sendable, Equatable {
    /// What became of a step.
    public enum Outcome: String, Sendable, Equatable, CaseIterable {
        case pass
        case fail
        /// The key may not do this, and nothing that backups do needs it.
        case notPermitted = "not permitted, not needed"
        /// The server cannot do this, and nothing that was configured needs it.
        case unsupported = "not supported, not needed"
        /// Not tried, since an earlier step failed.
        case skipped
    }

    /// What was tried.
    public var step: ProbeStep
    /// What became of it.
    public var outcome: Outcome
    /// What was found, for a person.
    public var detail: String
    /// Of a failure.
    public var error: S3Error?

    /// A finding.
    public init(_ step: ProbeStep, _ outcome: Outcome, _ detail: String, error: S3Error? = nil) {
        self.step = step
        self.outcome = outcome
        self.detail = detail
        self.error = error
    }
}

/// The steps of a probe, in the order in which they are tried.
public enum ProbeStep: String, Sendable, Equatable, CaseIterable {
    case nameResolution = "name resolution"
    case connection
    case tls = "TLS"
    case clock
    case credentials
    case signature
    case region
    case bucket
    case write
    case encryption
    case readBack = "read back"
    case range
    case multipart
    case conditionalWrite = "conditional write"
    case list
    case versioning
    case objectLock = "object lock"
    case delete
}
