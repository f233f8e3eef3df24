internal import BackupCore
internal import Foundation
internal import Logging
internal import Synchronization

/// How runs of this process ended that the catalog could not be told of: they are kept, and written down as soon as it
/// can be.
final class UnwrittenOutcomes: Sendable {
    private struct State {
        var records: [Int64: BackupRecord] = [:]
        var isTrying = false
    }

    private static let firstPause = 1.0
    private static let longestPause = 60.0

    private let catalog: any CatalogStore
    private let logger: Logger
    private let state = Mutex(State())

    init(_ catalog: any CatalogStore, _ logger: Logger) {
        self.catalog = catalog
        self.logger = logger
    }

    var isEmpty: Bool { state.withLock { $0.records.isEmpty } }

    /// Writes down how a run ended.
    ///
    /// - Throws: `catalog` where that cannot be done now; then it is tried again by itself.
    func write(_ record: BackupRecord) throws {
        do {
            try catalog.update(record)
        } catch {
            logger.error(
                "the end of a run cannot be written down; it is tried again",
                metadata: ["backup.id": "\(record.id)", "error": "\(error)"])
            keep(record)
            throw error
        }
    }

    private func keep(_ record: BackupRecord) {
        let isFirst = state.withLock { state in
            state.records[record.id] = record
            defer { state.isTrying = true }
            return !state.isTrying
        }
        if isFirst { BlockingThread.start(named: "outcomes") { self.tryAgain() } }
    }

    private func tryAgain() {
        var pause = Self.firstPause
        while true {
            Thread.sleep(forTimeInterval: pause)
            pause = min(pause * 2, Self.longestPause)
            settle()
            let isDone = state.withLock { state in
                if state.records.isEmpty { state.isTrying = false }
                return state.records.isEmpty
            }
            if isDone { return }
        }
    }

    /// Tries once to write down what is left.
    func settle() {
        for record in state.withLock({ Array($0.records.values) }) {
            do {
                // A sweep may have closed it, without knowing why it failed; and its number may be another's since.
                if let known = try catalog.record(id: record.id), known.startedAt == record.startedAt,
                    known.status == .running || (known.status == .failed && record.status == .failed)
                {
                    try catalog.update(record)
                }
                state.withLock { _ = $0.records.removeValue(forKey: record.id) }
            } catch {
                logger.debug(
                    "the end of a run still cannot be written down",
                    metadata: ["backup.id": "\(record.id)", "error": "\(error)"])
            }
        }
    }
}

extension BackupEngine {
    /// Tries once more to write down how runs of this process ended: before it ends.
    package func settleOutcomes() async {
        guard !outcomes.isEmpty else { return }
        try? await CatalogThreads.run { self.outcomes.settle() }
    }
}
