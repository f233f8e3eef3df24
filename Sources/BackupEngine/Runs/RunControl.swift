internal import BackupCore
internal import Synchronization

/// What somebody who began a verb has in hand while it goes on: its events, and the means to stop it.
package final class RunControl: Sendable {
    let cancellation = Cancellation()
    let observer: ProgressObserver
    /// Whether the verb returns when it is done, and leaves it to ``announce()`` to tell others.
    let announcesLater: Bool
    private let announcement = Mutex<(@Sendable () async -> Void)?>(nil)

    package init(announcesLater: Bool = false, observer: @escaping ProgressObserver = { _ in }) {
        self.announcesLater = announcesLater
        self.observer = observer
    }

    /// Stops the verb, which then undoes what is not complete and fails with `cancelled`.
    ///
    /// - Parameter reason: what it says then, such as `cancelled by ada`.
    package func cancel(_ reason: String) { cancellation.cancel(BackupError(.cancelled, reason)) }

    /// Tells others how the verb ended, where it left that. Whom to tell may be slow; cancelling the task ends it.
    package func announce() async {
        let left = announcement.withLock { left in
            defer { left = nil }
            return left
        }
        await left?()
    }

    func leave(_ work: @escaping @Sendable () async -> Void) { announcement.withLock { $0 = work } }
}
