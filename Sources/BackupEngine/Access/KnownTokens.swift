internal import BackupCore
internal import Synchronization

/// What the catalog said of tokens a moment ago: a caller that asks often does not cost a look-up each time.
final class KnownTokens: Sendable {
    /// In seconds: for so long a token may still open the API that another process has revoked.
    static let lifetime = 5.0
    /// In seconds, between two notes of a token's use.
    private static let noteInterval = 60.0

    private struct Entry {
        var token: AccessToken
        var at: Timestamp
    }

    private struct State {
        var entries = BoundedTable<String, Entry>(capacity: 1_000)
        /// By the token's id: when its use was last written down by this process.
        var noted = BoundedTable<Int64, Timestamp>(capacity: 1_000)
        /// Counts the revocations, so that what was read before one is not remembered after it.
        var era = 0
    }

    private let state = Mutex(State())

    /// To be asked before the catalog is.
    var era: Int { state.withLock { $0.era } }

    /// - Parameter hash: of the token's text.
    func find(_ hash: String, at now: Timestamp) -> AccessToken? {
        state.withLock { state in
            guard let entry = state.entries[key: hash] else { return nil }
            let age = now.seconds(since: entry.at)
            // A clock that was set back makes nothing live longer.
            guard age >= 0, age < KnownTokens.lifetime else {
                state.entries[key: hash] = nil
                return nil
            }
            return entry.token
        }
    }

    func remember(_ token: AccessToken, _ hash: String, era: Int, at now: Timestamp) {
        state.withLock { state in
            guard state.era == era else { return }
            state.entries[key: hash] = Entry(token: token, at: now)
        }
    }

    func forgetAll() {
        state.withLock { state in
            state.entries.removeAll()
            state.era += 1
        }
    }

    /// Whether the caller is to write down that a token was used: of many at the same time only one is told so.
    func mustNoteUse(of token: AccessToken, at now: Timestamp) -> Bool {
        state.withLock { state in
            let last = [state.noted[key: token.id], token.lastUsedAt].compactMap(\.self).max()
            if let last {
                let age = now.seconds(since: last)
                guard age < 0 || age > KnownTokens.noteInterval else { return false }
            }
            state.noted[key: token.id] = now
            return true
        }
    }
}
