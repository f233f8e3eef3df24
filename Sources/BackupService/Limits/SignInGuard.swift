internal import BackupCore
internal import Crypto
internal import Foundation
internal import Synchronization

/// Locks out who guesses tokens: after so many wrong ones within a minute nothing more is looked at until it is over.
///
/// Counted are the address, and what the guesses have in common: the first characters of a token of this service, or all
/// of a JWT but its signature. While an address is locked out, tokens that were good lately still pass, so that one bad
/// client does not shut out its neighbours behind the same address; a token that is new here waits for the minute's end.
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

    /// In how many seconds the caller may try; nil where it may now.
    package func wait(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) -> Int? {
        guard limit > 0 else { return nil }
        return state.withLock { state in
            if let end = state.good[key: attempt.digest], end > now { return nil }
            let ends = attempt.keys.compactMap { key -> ContinuousClock.Instant? in
                guard let failures = state.failures[key: key], failures.count >= limit, failures.end > now else {
                    return nil
                }
                return failures.end
            }
            return ends.max().map { max(1, Int((($0 - now) / .seconds(1)).rounded(.up))) }
        }
    }

    package func succeeded(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) {
        guard limit > 0 else { return }
        state.withLock { $0.good[key: attempt.digest] = now + SignInGuard.memory }
    }

    package func failed(_ attempt: Attempt, at now: ContinuousClock.Instant = .now) {
        guard limit > 0 else { return }
        state.withLock { state in
            state.good[key: attempt.digest] = nil
            for key in attempt.keys {
                var failures = state.failures[key: key] ?? Failures(count: 0, end: now + SignInGuard.window)
                if failures.end <= now { failures = Failures(count: 0, end: now + SignInGuard.window) }
                failures.count += 1
                state.failures[key: key] = failures
            }
        }
    }
}
