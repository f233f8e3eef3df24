internal import BackupCore
internal import Logging

/// Tells of one run of a job. Used by the run's thread.
final class Announcer {
    /// With how many completed backups a new one is compared.
    private static let compared = 5

    private let engine: BackupEngine
    private let job: BackupJob
    private let context: VerbContext
    private let ping: DeadManPing?
    /// Why the job's own ping cannot be told; nil where there is nothing to say.
    private var pingFault: String?
    private var announcements: [Announcement] = []

    init(_ engine: BackupEngine, _ job: BackupJob, _ context: VerbContext) {
        self.engine = engine
        self.job = job
        self.context = context
        let settings = engine.configuration.announcements
        var url = settings.pingURL
        if job.options.hasPing {
            do {
                url = try engine.catalog.secrets(ofJob: job.id).pingURL
            } catch {
                url = nil
                pingFault = "the job's ping was not told: \(error)"
            }
        }
        ping = url.map { DeadManPing(url: $0, pause: settings.callPause) }
    }

    func tellBeginning(_ record: BackupRecord) {
        if let pingFault { warn([pingFault]) }
        guard let ping else { return }
        do {
            warn([try context.wait { await ping.start() }].compactMap { $0 })
        } catch {
            // Cancelled: the run itself finds out next.
        }
    }

    /// Compares a complete backup of the job's own with those before it that hold the same.
    func compare(_ record: BackupRecord, _ run: inout BackupRun) {
        do {
            let before = try engine.predecessors(of: record, isOwn: true, limit: Self.compared)
            let percent = engine.configuration.announcements.anomalyPercent
            for text in Anomaly.lines(record, before: before, percent: percent) {
                run.warn([text])
                announcements.append(Announcement(.anomaly, text, job, record))
            }
        } catch {
            run.warn(["the backup could not be compared with those before it: \(error)"])
        }
    }

    /// Tells of the end, and gives back what the run gives back.
    func tell(_ outcome: Result<BackupResponse, any Error>, _ record: BackupRecord?) throws -> BackupResponse {
        switch outcome {
        case .failure(let error):
            // Where another run of the job goes on there was none of ours.
            if record == nil, (error as? BackupError)?.code == .locked { throw error }
            let error = context.cancellation.explained(error)
            warn(send(failure: "\(error)", record))
            throw error
        case .success(var response):
            let missing = ([response.s3Error] + (response.replicas ?? []).map(\.error)).compactMap { $0 }.first
            let failure = missing.map { "backup \(response.backupID) is complete, and a copy of it is missing: \($0)" }
            if failure == nil, let record, didFailBefore(record) {
                announcements.append(
                    Announcement(.recovery, "backup \(record.id) is complete; the one before it failed", job, record))
            }
            let faults = send(failure: failure, record)
            warn(faults)
            response.warnings += faults
            return response
        }
    }

    private func didFailBefore(_ record: BackupRecord) -> Bool {
        let last = try? engine.catalog.records(jobID: job.id, status: nil, limit: 2).first { $0.id != record.id }
        return last?.status == .failed
    }

    private func send(failure: String?, _ record: BackupRecord?) -> [String] {
        if let failure { announcements.append(Announcement(.failure, failure, job, record)) }
        let herald = Herald(settings: engine.configuration.announcements)
        let told = announcements
        let ping = ping
        do {
            return try context.waitRegardless {
                async let pinged = ping?.end(failure: failure)
                let faults = await herald.send(told)
                return [await pinged].compactMap { $0 } + faults
            }
        } catch {
            return ["nobody could be told of the run: \(error)"]
        }
    }

    private func warn(_ lines: [String]) {
        for line in lines {
            engine.logger.warning("\(line)")
            engine.observer(.warning(line))
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
