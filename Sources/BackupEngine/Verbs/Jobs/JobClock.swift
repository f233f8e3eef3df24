package import BackupCore
internal import Foundation

/// The clock that a job's schedule and its days follow.
package struct JobClock: Sendable {
    private let zone: TimeZone

    /// By how many seconds the clock is ahead of UTC at a moment.
    package func offset(_ moment: Timestamp) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.microseconds) / 1_000_000))
    }

    fileprivate init(_ zone: TimeZone) { self.zone = zone }
}

extension BackupJob {
    /// - Throws: `usage` for a time zone that this system does not know.
    package func clock() throws(BackupError) -> JobClock {
        guard let timeZone else { return JobClock(.gmt) }
        guard let zone = TimeZone(identifier: timeZone) else {
            throw BackupError(
                .usage,
                "the job \"\(name)\" follows the time zone \(timeZone), which this system does not know: install its "
                    + "time zone data, or change the job with --time-zone")
        }
        return JobClock(zone)
    }
}
