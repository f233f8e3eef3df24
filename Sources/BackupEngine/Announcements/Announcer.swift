internal import BackupCore
internal import Logging
internal import Synchronization

/// Tells of one run of a job: of its beginning on the run's thread, and of its end when it has given up its lock.
final class Announcer: Sendable {
    private struct State {
        var job: BackupJob?
        /// Why the job's own ping cannot be told; nil where there is nothing to say.
        var pingFault: String?
        var ping: DeadManPing?
        var record: BackupRecord?
        var failedBefore = false
        var announcements: [Announcement] = []
    }

    /// With how many completed backups a new one is compared.
    private static let compared = 5

    private let engine: BackupEngine
    /// What the job was asked for by.
    private let name: String
    private let state: Mutex<State>

    /// Looks for the job, so that a run that cannot even begin is told of. Where the catalog does not say what it is,
    /// the run finds out why.
    init(_ engine: BackupEngine, _ reference: JobReference?) async {
        self.engine = engine
        name = reference?.text ?? BackupEngine.defaultJobName
        let settings = engine.configuration.announcements
        state = Mutex(State(ping: settings.pingURL.map { DeadManPing(url: $0, pause: settings.callPause) }))
        let job = try? await CatalogThreads.run {
            try reference.map { try engine.findJob($0) } ?? engine.catalog.job(named: BackupEngine.defaultJobName)
        }
        if let job { try? await CatalogThreads.run { self.use(job) } }
    }

    /// The job, where it is known.
    var job: BackupJob? { state.withLock { $0.job } }

    /// Takes the job to tell of, with its own ping.
    func use(_ job: BackupJob) {
        var ping = Result<Secret?, any Error>.success(nil)
        if job.options.hasPing { ping = Result { try engine.catalog.secrets(ofJob: job.id).pingURL } }
        let pause = engine.configuration.announcements.callPause
        state.withLock { state in
            state.job = job
            guard job.options.hasPing else { return }
            switch ping {
            case .success(let url): state.ping = url.map { DeadManPing(url: $0, pause: pause) }
            case .failure(let error):
                state.ping = nil
                state.pingFault = "the job's ping was not told: \(error)"
            }
        }
    }

    /// Tells that a run began, whose record is there.
    func tellBeginning(_ record: BackupRecord, _ context: VerbContext) {
        // Before this run sends the copies that the last one could not.
        let failedBefore = failedBefore(record)
        let (ping, fault) = state.withLock { state in
            state.record = record
            state.failedBefore = failedBefore
            return (state.ping, state.pingFault)
        }
        if let fault { warn([fault]) }
        guard let ping else { return }
        do {
            warn([try context.wait { await ping.start() }].compactMap { $0 })
        } catch {
            // Cancelled: the run itself finds out next.
        }
    }

    /// Takes the record as it is now.
    func note(_ record: BackupRecord) { state.withLock { $0.record = record } }

    /// Compares a complete backup of the job's own with those before it that hold the same.
    func compare(_ record: BackupRecord, _ job: BackupJob, _ run: inout BackupRun) {
        do {
            let before = try engine.predecessors(of: record, isOwn: true, limit: Self.compared)
            let percent = engine.configuration.announcements.anomalyPercent
            for text in Anomaly.lines(record, before: before, percent: percent) {
                run.warn([text])
                state.withLock { $0.announcements.append(Announcement(.anomaly, text, job, record)) }
            }
        } catch {
            run.warn(["the backup could not be compared with those before it: \(error)"])
        }
    }

    /// Tells of the end.
    ///
    /// - Returns: what could not be told, a line each; these are warnings already.
    func tell(_ outcome: Result<BackupResponse, any Error>) async -> [String] {
        let (known, record, failedBefore) = state.withLock { ($0.job, $0.record, $0.failedBefore) }
        let job = known.map { Announcement.Job($0) } ?? Announcement.Job(name)
        switch outcome {
        case .failure(let error):
            // Where another run of the job goes on there was none of ours.
            if record == nil, (error as? BackupError)?.code == .locked { return [] }
            return await send(failure: "\(error)", job, record)
        case .success(let response):
            let missing = ([response.s3Error] + (response.replicas ?? []).map(\.error)).compactMap { $0 }.first
            let failure = missing.map { "backup \(response.backupID) is complete, and a copy of it is missing: \($0)" }
            if failure == nil, failedBefore || engine.toldFailures.contains([name, job.name]) {
                let text = "backup \(response.backupID) is complete; the one before it failed, or lacked a copy"
                state.withLock { $0.announcements.append(Announcement(.recovery, text, job, record)) }
            }
            return await send(failure: failure, job, record)
        }
    }

    /// Whether the run before failed, or left a copy missing.
    private func failedBefore(_ record: BackupRecord) -> Bool {
        do {
            let last = try engine.catalog.records(jobID: record.jobID, status: nil, limit: 2)
                .first { $0.id != record.id }
            guard let last, last.status != .failed else { return last != nil }
            return try engine.catalog.copies(backupID: last.id)
                .contains { [.pending, .uploading, .failed].contains($0.state) }
        } catch {
            engine.logger.debug("the run before is not known", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func send(failure: String?, _ job: Announcement.Job, _ record: BackupRecord?) async -> [String] {
        engine.toldFailures.note([name, job.name], failed: failure != nil)
        let (ping, told) = state.withLock { state in
            if let failure { state.announcements.append(Announcement(.failure, failure, job, record)) }
            return (state.ping, state.announcements)
        }
        let lines = await Herald(settings: engine.configuration.announcements)
            .tellEnd(told, to: ping, failure: failure)
        warn(lines)
        return lines
    }

    private func warn(_ lines: [String]) {
        for line in lines {
            engine.logger.warning("\(line)")
            engine.observer(.warning(line))
        }
    }
}

/// The jobs of whose last run this process told that it failed: one that could not even begin has no record to say so.
final class ToldFailures: Sendable {
    private let names = Mutex<Set<String>>([])

    /// - Parameter job: what the job is called, and was asked for by.
    func contains(_ job: Set<String>) -> Bool { names.withLock { !$0.isDisjoint(with: job) } }

    func note(_ job: Set<String>, failed: Bool) {
        names.withLock { names in
            if failed { names.formUnion(job) } else { names.subtract(job) }
        }
    }
}

/// Whether a backup is much smaller than it should be: values in, values out.
enum Anomaly {
    /// What is odd, a line each, against the mean of those before.
    static func lines(_ record: BackupRecord, before: [BackupRecord], percent: Int) -> [String] {
        guard !before.isEmpty else { return [] }
        func line(_ what: String, _ value: Int64, _ others: [Int64]) -> String? {
            let mean = others.reduce(0.0) { $0 + Double($1) } / Double(others.count)
            guard mean > 0, Double(value) < mean * (1 - Double(percent) / 100) else { return nil }
            let fall = Int(((1 - Double(value) / mean) * 100).rounded())
            return "backup \(record.id) has \(value) \(what), \(fall) % less than the mean of the last "
                + "\(others.count) (\(Int64(mean.rounded()))): check that nothing is missing in the database"
        }
        return [
            line("rows", record.recordCount, before.map(\.recordCount)),
            line("bytes", record.fileSize, before.map(\.fileSize)),
        ].compactMap { $0 }
    }
}
