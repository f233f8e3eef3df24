internal import BackupCore
internal import BackupEngine
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Writes refused sign-ins into the audit log, one entry a minute at most, however many there are: nobody may fill the
/// disk by being refused.
final class RefusedSignIns: Service {
    private struct State {
        var counts: [String: Int] = [:]
        /// Of those for whom there was no place.
        var others = 0
    }

    private let engine: BackupEngine
    private let logger: Logger
    private let interval: Duration
    private let state = Mutex(State())
    /// Addresses that are told apart within one entry.
    private static let mostAddresses = 20

    init(engine: BackupEngine, logger: Logger, interval: Duration) {
        self.engine = engine
        self.logger = logger
        self.interval = interval
    }

    func note(_ address: String) {
        state.withLock { state in
            if state.counts[address] != nil || state.counts.count < RefusedSignIns.mostAddresses {
                state.counts[address, default: 0] += 1
            } else {
                state.others += 1
            }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: self.interval)
                await self.writeDown()
            }
        }
    }

    private func writeDown() async {
        let state = state.withLock { state in
            defer { state = State() }
            return state
        }
        guard !state.counts.isEmpty else { return }
        let total = state.counts.values.reduce(state.others, +)
        var parts = state.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) (\($0.value))" }
        if state.others > 0 { parts.append("others (\(state.others))") }
        do {
            try await AuditActor.$current.withValue(AuditActor(name: "unknown")) {
                try await engine.recordAudit(
                    "sign-in", nil, .refused, "\(total) refused, from " + parts.joined(separator: ", "))
            }
        } catch {
            logger.error("refused sign-ins could not be written down", metadata: ["error": "\(error)"])
        }
    }
}
