internal import BackupCore
internal import Crypto
internal import Foundation
internal import Synchronization

/// Locks out who guesses tokens: after so many wrong ones within a minute nothing more is looked at until it is over.
///
/// Counted are the address, and what the guesses have in common: the first characters of a token of this service, or all
/// of a JWT but its signature. While an address is locked out, tokens that were good lately still pass, so that one bad
/// client does not shut out its neighbours behind the same address; a token that is new here waits for the minute's end.
///
/// One that is being looked at counts as wrong until the opposite is known, so that many at once get no further than one
/// after the other: those beyond the limit wait for what comes of the others.
package final class SignInGuard: Sendable {
    private static let window = Duration.seconds(60)
    /// How long a good token is remembered.
    private static let memory = Duration.seconds(3_600)

    private struct Failures {
        var count: Int
        var end: ContinuousClock.Instant
    }

    private struct State {
        var failures: BoundedTable<String, Failures>
        /// What is being looked at, and how many of it count for each key.
        var pending: [UInt64: [String]] = [:]
        var pendingCounts: [String: Int] = [:]
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// The digests of good tokens, and until when they count as such.
        var good: BoundedTable<SHA256Digest, ContinuousClock.Instant>
    }

    /// Wrong tokens within a minute; 0 for no limit.
    private let limit: Int
    private let state: Mutex<State>

    /// A caller that shows a token.
    package struct Attempt: Sendable {
        fileprivate let digest: SHA256Digest
        fileprivate let keys: [String]
        fileprivate let id = UInt64.random(in: .min ... .max)

        /// - Parameter address: whose limit it is.
        package init(token: String, address: String) {
            digest = SHA256.hash(data: Data(token.utf8))
            let parts = token.split(separator: ".", omittingEmptySubsequences: false)
            let common = parts.count == 3 ? "\(parts[0]).\(parts[1])" : String(token.prefix(12))
            let hash = SHA256.hash(data: Data(common.utf8)).withUnsafeBytes { Data($0).base64EncodedString() }
            keys = ["address " + address, "token " + hash]
        }
    }

    package init(limit: Int, capacity: Int = 10_000) {
        self.limit = limit
        state = Mutex(
            State(failures: BoundedTable(capacity: capacity), good: BoundedTable(capacity: capacity)))
    }

    private enum Verdict {
        case look
        /// In so many seconds.
        case later(Int)
        /// Others are being looked at.
        case full
    }

    /// In how many seconds the caller may try; nil where it may now. Then one of the others is to be called, whatever comes
    /// of it.
    package func wait(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) async -> Int? {
        guard limit > 0 else { return nil }
        while true {
            switch state.withLock({ admit(attempt, at: now, &$0) }) {
            case .look: return nil
            case .later(let seconds): return seconds
            case .full: await change(for: attempt)
            }
        }
    }

    private func admit(_ attempt: Attempt, at now: ContinuousClock.Instant, _ state: inout State) -> Verdict {
        if let end = state.good[key: attempt.digest], end > now { return .look }
        let failures = attempt.keys.map { key -> Failures in
            guard let failures = state.failures[key: key], failures.end > now else {
                return Failures(count: 0, end: now)
            }
            return failures
        }
        if let end = failures.filter({ $0.count >= limit }).map(\.end).max() {
            return .later(max(1, Int(((end - now) / .seconds(1)).rounded(.up))))
        }
        guard zip(attempt.keys, failures).allSatisfy({ $1.count + (state.pendingCounts[$0] ?? 0) < limit }) else {
            return .full
        }
        state.pending[attempt.id] = attempt.keys
        for key in attempt.keys { state.pendingCounts[key, default: 0] += 1 }
        return .look
    }

    /// Waits until something of what is being looked at is known.
    private func change(for attempt: Attempt) async {
        await withCheckedContinuation { continuation in
            let isLate = state.withLock { state in
                guard attempt.keys.contains(where: { state.pendingCounts[$0] != nil }) else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isLate { continuation.resume() }
        }
    }

    package func succeeded(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) {
        settle(attempt) { $0.good[key: attempt.digest] = now + SignInGuard.memory }
    }

    /// It is not known whether the token is good, or it is no guess.
    package func abandoned(_ attempt: Attempt) { settle(attempt) { _ in } }

    package func failed(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) {
        settle(attempt) { state in
            state.good[key: attempt.digest] = nil
            for key in attempt.keys {
                var failures = state.failures[key: key] ?? Failures(count: 0, end: now + SignInGuard.window)
                if failures.end <= now { failures = Failures(count: 0, end: now + SignInGuard.window) }
                failures.count += 1
                state.failures[key: key] = failures
            }
        }
    }

    /// It is no longer being looked at; all who wait look again.
    private func settle(_ attempt: Attempt, _ outcome: (inout State) -> Void) {
        guard limit > 0 else { return }
        let waiters = state.withLock { state in
            for key in state.pending.removeValue(forKey: attempt.id) ?? [] {
                let rest = (state.pendingCounts[key] ?? 0) - 1
                state.pendingCounts[key] = rest > 0 ? rest : nil
            }
            outcome(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
