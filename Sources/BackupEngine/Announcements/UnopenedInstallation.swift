internal import BackupCore
package import Logging

extension BackupEngine {
    /// Opens the catalog for a run of a job. Where that fails it is told as the failure of the run, to those whom the
    /// configuration names: the job's own ping stands in the catalog.
    ///
    /// - Throws: as ``open(configuration:logger:observer:)``.
    package static func open(
        forRunOf job: JobReference?, configuration: EngineConfiguration, logger: Logger,
        observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        do {
            return try await open(configuration: configuration, logger: logger, observer: observer)
        } catch {
            let settings = configuration.announcements
            let ping = settings.pingURL.map { DeadManPing(url: $0, pause: settings.callPause) }
            let failure = "\(error)"
            let told = Announcement(.failure, failure, Announcement.Job(job?.text ?? defaultJobName), nil)
            // In a task that is not cancelled: that a command was ended is told as well.
            let faults = await Task {
                await Herald(settings: settings).tellEnd([told], to: ping, failure: failure)
            }.value
            for line in faults {
                logger.warning("\(line)")
                observer(.warning(line))
            }
            throw error
        }
    }
}
