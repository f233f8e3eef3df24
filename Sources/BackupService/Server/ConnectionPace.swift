internal import NIOCore

/// How far a connection's client has come, and whether it takes too long: values in, values out.
struct ConnectionPace {
    enum Verdict: Equatable {
        case patient
        /// The client is told so, where that is possible.
        case timeout
        /// It has sent nothing, or does not read.
        case close
    }

    private let limits: ServerLimits
    /// When the header began that has not ended; nil between requests.
    private var headerSince: NIODeadline?
    /// Whether anything of it has come.
    private var hasBytes = false
    /// Of its first line, as far as it has come, in bytes.
    private var line = 0
    private var hasLine = false
    /// Whether a request has begun whose end has not come.
    private var isInBody = false
    /// Of its body, in bytes; nil where it does not say.
    private var length: Int?
    private var received = 0
    private var waited = TimeAmount.nanoseconds(0)
    private var waitingSince: NIODeadline?
    private var stalledSince: NIODeadline?
    /// Requests that have begun and whose answers have not ended.
    private(set) var unanswered = 0

    init(_ limits: ServerLimits, at now: NIODeadline) {
        self.limits = limits
        headerSince = now
    }

    /// Whether it is the first line that makes a header too large.
    var isLineTooLong: Bool { line > limits.headerField }

    mutating func bytesCame(_ bytes: ByteBufferView, at now: NIODeadline) {
        guard !isInBody else { return }
        hasBytes = true
        headerSince = headerSince ?? now
        guard !hasLine else { return }
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        hasLine = end != nil
        line += bytes.distance(from: bytes.startIndex, to: end ?? bytes.endIndex)
    }

    /// - Parameter length: of the body, in bytes; nil where it does not say.
    mutating func headerEnded(length: Int?) {
        self.length = length
        headerSince = nil
        hasBytes = false
        hasLine = false
        line = 0
        isInBody = true
        received = 0
        waited = .nanoseconds(0)
        unanswered += 1
    }

    mutating func bodyCame(_ count: Int) { received += count }

    /// What is still to come of the body of the request that is being answered, in bytes; nil where nobody knows. One that
    /// others have followed already is whole.
    var rest: Int? { isInBody && unanswered == 1 ? length.map { $0 - received } : 0 }

    mutating func requestEnded() { isInBody = false }

    /// The server asks for more: from now on it is the client who makes it wait.
    mutating func asked(at now: NIODeadline) { waitingSince = waitingSince ?? now }

    mutating func delivered(at now: NIODeadline) {
        guard let since = waitingSince else { return }
        waitingSince = nil
        if isInBody { waited = waited + (now - since) }
    }

    mutating func answerEnded() { unanswered -= 1 }

    mutating func writabilityChanged(_ isWritable: Bool, at now: NIODeadline) { stalledSince = isWritable ? nil : now }

    func verdict(at now: NIODeadline) -> Verdict {
        if let stalledSince, now - stalledSince > TimeAmount(limits.stallTime) { return .close }
        if isInBody {
            let waiting = waitingSince.map { now - $0 } ?? .nanoseconds(0)
            // What is still read of a request that has been answered can have no second answer.
            let late = unanswered == 0 ? Verdict.close : .timeout
            let earned = TimeAmount.milliseconds(Int64(received) * 1_000 / Int64(max(1, limits.bodyRate)))
            return waited + waiting > TimeAmount(limits.bodyTime) + earned ? late : .patient
        }
        // While an answer is being sent nobody waits for the next request.
        guard unanswered == 0, let headerSince, now - headerSince > TimeAmount(limits.headerTime) else {
            return .patient
        }
        return hasBytes ? .timeout : .close
    }
}
