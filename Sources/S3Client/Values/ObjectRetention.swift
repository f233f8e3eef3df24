/// Until when an object's version may not be deleted (object lock).
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
public struct ObjectRetention: Sendable, Equatable {
    /// How strict a lock is.
    public enum Mode: String, Sendable, Equatable, CaseIterable {
        /// Who may `s3:BypassGovernanceRetention` can delete it all the same.
        case governance = "GOVERNANCE"
        /// Nobody can delete it, nor shorten the time.
        case compliance = "COMPLIANCE"
    }

    /// How strict the lock is.
    public var mode: Mode
    /// Seconds since 1970.
    public var until: Int64

    /// A lock up to a moment.
    public init(mode: Mode, until: Int64) {
        self.mode = mode
        self.until = until
    }
}
