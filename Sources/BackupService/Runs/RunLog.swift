internal import BackupCore
internal import BackupEngine
internal import Foundation
internal import Synchronization

/// What is known of a run, from its asking to its end. Whoever listens is told that something is new and then looks at what
/// there is now: a slow listener misses figures in between, and never makes anything wait or grow.
final class RunLog: Sendable {
    private struct State {
        var description: RunDescription
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var lastListener = 0
        var lastTold = ContinuousClock.now
    }

    /// Figures are told of this often, at most.
    private static let interval = Duration.milliseconds(200)
    private static let mostWarnings = 100
    /// In bytes of JSON: a longer result is not kept.
    private static let longestResult = 256 << 10

    private let state: Mutex<State>

    init(_ description: RunDescription) { state = Mutex(State(description: description)) }

    var description: RunDescription { state.withLock { $0.description } }

    /// Takes the engine's events.
    func note(_ event: ProgressEvent) {
        change { description in
            switch event {
            case .began(let id): description.backupID = id
            case .step(let step): description.progress.step = step.rawValue
            case .warning(let line):
                if description.warnings.count < Self.mostWarnings {
                    description.warnings.append(String(line.prefix(2000)))
                }
            case .progress(let table, let rows, let bytes, let expected):
                description.progress.table = table
                description.progress.rows = rows
                description.progress.bytes = bytes
                description.progress.expectedRows = expected
                return false
            case .transfer(let transfer, let bytes, let total):
                description.progress.transfer = RunDescription.Transfer(
                    direction: transfer.direction.rawValue, store: transfer.store, filename: transfer.filename,
                    bytes: bytes, total: total)
                return false
            }
            return true
        }
    }

    func begin() {
        change { description in
            description.state = .running
            description.startedAt = .now()
            return true
        }
    }

    func end(_ result: Result<any Encodable & Sendable, any Error>) {
        change { description in
            description.endedAt = .now()
            switch result {
            case .success(let output):
                description.state = .completed
                let size = (try? JSONEncoder().encode(output).count) ?? .max
                description.result = size <= Self.longestResult ? output : nil
            case .failure(let error):
                let refusal = (error as? Refusal) ?? (error as? BackupError).map { Refusal($0) }
                description.state = .failed
                description.error = RunDescription.Failure(
                    error: refusal?.message ?? "an internal error; see the log", code: refusal?.code ?? "internal")
            }
            return true
        }
    }

    /// - Parameter change: whether it concerns every listener at once.
    private func change(_ change: (inout RunDescription) -> Bool) {
        state.withLock { state in
            let isUrgent = change(&state.description)
            let now = ContinuousClock.now
            guard isUrgent || now - state.lastTold > Self.interval else { return }
            state.lastTold = now
            for listener in state.listeners.values { listener.yield() }
        }
    }

    /// Signals, of which only the newest waits for its listener; the first one is there at once.
    func listen() -> (signals: AsyncStream<Void>, signal: AsyncStream<Void>.Continuation) {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.lastListener += 1
            state.listeners[state.lastListener] = signal
            return state.lastListener
        }
        signal.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.listeners[number] = nil }
        }
        signal.yield()
        return (signals, signal)
    }

    /// How many listen.
    var listeners: Int { state.withLock { $0.listeners.count } }

    /// Waits until the description satisfies something; gives up with the task.
    func wait(until isSo: (RunDescription) -> Bool) async -> RunDescription {
        let (signals, signal) = listen()
        defer { signal.finish() }
        for await _ in signals where isSo(description) { break }
        return description
    }
}
