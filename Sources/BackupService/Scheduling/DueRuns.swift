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

    package private(set) var due: [Due] = []
    /// When the next job is due; nil where none is.
    package private(set) var next: Timestamp?

    /// - Parameters:
    ///   - jobs: those with a schedule that may run.
    ///   - handled: until when each job's schedule has been seen to; for a job that is not there, its last run.
    ///   - clock: by how many seconds a job's time zone is ahead of UTC at a moment.
    package init(
        _ jobs: [(job: BackupJob, schedule: CronSchedule)], handled: [Int64: Timestamp], now: Timestamp,
        clock: (BackupJob) -> (Timestamp) -> Int
    ) {
        for (job, schedule) in jobs {
            let seen = handled[job.id] ?? job.lastRunAt ?? job.updatedAt
            // A clock that was set back must not stop a schedule for as long as it was ahead.
            let reference = seen.microseconds > now.microseconds + 86_400_000_000 ? now : seen
            let offset = clock(job)
            guard let first = schedule.next(after: reference, offset: offset) else { continue }
            var coming = first
            if first <= now {
                let latest = DueRuns.latest(schedule, from: first, to: now, offset)
                due.append(
                    Due(
                        jobID: job.id, moment: latest,
                        isMissed: now.microseconds - latest.microseconds > DueRuns.grace))
                guard let after = schedule.next(after: now, offset: offset) else { continue }
                coming = after
            }
            next = min(next ?? coming, coming)
        }
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
