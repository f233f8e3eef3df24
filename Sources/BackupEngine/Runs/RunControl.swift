internal import BackupCore

/// What somebody who began a verb has in hand while it goes on: its events, and the means to stop it.
package final class RunControl: Sendable {
    let cancellation = Cancellation()
    let observer: ProgressObserver

    package init(observer: @escaping ProgressObserver = { _ in }) { self.observer = observer }

    /// Stops the verb, which then undoes what is not complete and fails with `cancelled`.
    ///
    /// - Parameter reason: what it says then, such as `cancelled by ada`.
    package func cancel(_ reason: String) { cancellation.cancel(BackupError(.cancelled, reason)) }
}
