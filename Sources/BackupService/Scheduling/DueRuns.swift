package import BackupCore

/// Which jobs are to run now: values in, values out.
package struct DueRuns {
    /// A job that is due.
    package struct Due: Equatable {
        package var jobID: Int64
        /// The moment that the schedule names; the latest of several.
        package var moment: Timestamp
        /// Whether it should have run long ago.
        package var isMissed: Bool

        package init(jobID: Int64, moment: Timestamp, isMissed: Bool) {
            self.jobID = jobID
            self.moment = moment
            self.isMissed = isMissed
        }
    }

    /// A run that begins later than this after it was due was missed.
    static let grace: Int64 = 300_000_000

    /// Those that are due for the longest time first.
    package private(set) var due: [Due] = []
    /// When the next job is due; nil where none is.
    package private(set) var next: Timestamp?
    /// Until when each job's schedule needs nothing any more: the next plan's, with what becomes of those that are due.
    package private(set) var handled: [Int64: Timestamp] = [:]

    /// - Parameters:
    ///   - jobs: those with a schedule that may run.
    ///   - handled: until when this process has seen to each job's schedule.
    ///   - waiting: the jobs that were due and found no place, each with its moment: they are late, and not missed.
    ///   - clock: by how many seconds a job's time zone is ahead of UTC at a moment.
    package init(
        _ jobs: [(job: BackupJob, schedule: CronSchedule)], handled: [Int64: Timestamp],
        waiting: [Int64: Timestamp] = [:], now: Timestamp, clock: (BackupJob) -> (Timestamp) -> Int
    ) {
        for (job, schedule) in jobs {
            let reference = DueRuns.reference(job, handled[job.id], now)
            self.handled[job.id] = reference
            let offset = clock(job)
            guard let first = schedule.next(after: reference, offset: offset) else { continue }
            var coming = first
            if first <= now {
                let latest = DueRuns.latest(schedule, from: first, to: now, offset)
                due.append(
                    Due(
                        jobID: job.id, moment: latest,
                        isMissed: waiting[job.id] == nil
                            && now.microseconds - latest.microseconds > DueRuns.grace))
                guard let after = schedule.next(after: now, offset: offset) else { continue }
                coming = after
            }
            next = min(next ?? coming, coming)
        }
        let since = { (due: Due) in waiting[due.jobID] ?? due.moment }
        due.sort { (since($0), $0.jobID) < (since($1), $1.jobID) }
    }

    /// The last moment at which a job's schedule was seen to here, a run of the job began, be it another process's, or the
    /// schedule was changed.
    private static func reference(_ job: BackupJob, _ handled: Timestamp?, _ now: Timestamp) -> Timestamp {
        let changed = job.scheduleChangedAt ?? job.lastRunAt ?? job.updatedAt
        let known = max(changed, job.lastRunAt ?? changed)
        // A clock that was set back must not stop a schedule for as long as it was ahead.
        let limit = now.adding(days: 1)
        let reference = handled.map { known > limit ? $0 : max($0, known) } ?? known
        return reference > limit ? now : reference
    }

    /// The last moment up to `end` at which the schedule is due. Steps back from the end by growing spans: a schedule of
    /// every minute may have been left alone for a year.
    private static func latest(
        _ schedule: CronSchedule, from first: Timestamp, to end: Timestamp, _ offset: @escaping (Timestamp) -> Int
    ) -> Timestamp {
        var span: Int64 = 3_600_000_000
        while end.microseconds - span > first.microseconds {
            let start = Timestamp(microseconds: end.microseconds - span)
            if var found = schedule.next(after: start, offset: offset), found <= end {
                while let later = schedule.next(after: found, offset: offset), later <= end { found = later }
                return found
            }
            span *= 24
        }
        var found = first
        while let later = schedule.next(after: found, offset: offset), later <= end { found = later }
        return found
    }
}
