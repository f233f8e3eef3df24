extension CronSchedule {
    /// So many days after now are looked through at least: a week has its gap.
    private static let gapDays: Int64 = 8
    /// So many hours in which the schedule is due are looked at at least, where it is due seldom.
    private static let gapHours = 32

    /// An hour in which the schedule is due: its first and its last moment.
    private struct DueHour {
        var first: Timestamp
        var last: Timestamp
    }

    /// The longest time between two moments at which the schedule is due, from the last one up to `now` on, in
    /// microseconds; nil where it comes less than twice within 41 years.
    ///
    /// Only the first and the last minute of an hour are looked up: between them, each hour is like the others.
    ///
    /// - Parameter offset: by how many seconds the time zone is ahead of UTC at a moment.
    package func longestGap(around now: Timestamp, offset: @escaping (Timestamp) -> Int) -> Int64? {
        let zone = Zone(offset: offset)
        let dueMinutes = (0..<60).filter { minutes.contains($0) }
        guard let first = dueMinutes.first, let last = dueMinutes.last else { return nil }
        func dueHours(_ day: Int64) -> [DueHour] {
            let start = Timestamp(microseconds: day * Zone.day)
            guard isDue(on: start.civil) else { return [] }
            func moments(_ hour: Int, _ minute: Int) -> [Timestamp] {
                let local = Timestamp(microseconds: start.microseconds + Int64(hour * 60 + minute) * 60_000_000)
                return zone.moments(local, isHourly: isHourly).sorted()
            }
            return (0..<24).filter { hours.contains($0) }.flatMap { hour in
                zip(moments(hour, first), moments(hour, last)).map { DueHour(first: $0, last: $1) }
            }.sorted { $0.first < $1.first }
        }
        let local = zone.local(now).microseconds
        let today = local >= 0 ? local / Zone.day : (local + 1) / Zone.day - 1
        let farthest = Int64(CronSchedule.farthestDays)
        var begun: (day: Int64, hour: DueHour)?
        var candidate = today + 1
        while begun == nil, candidate > today - farthest {
            begun = dueHours(candidate).last { $0.first <= now }.map { (candidate, $0) }
            candidate -= 1
        }
        guard let begun else { return nil }
        var longest = zip(dueMinutes.dropFirst(), dueMinutes).map { Int64($0 - $1) * 60_000_000 }.max() ?? 0
        var (day, previous) = begun
        let end = now.microseconds + CronSchedule.gapDays * Zone.day
        var count = 1
        while day < today + farthest, count < CronSchedule.gapHours || previous.first.microseconds <= end {
            for hour in dueHours(day) where hour.first > previous.first {
                longest = max(longest, hour.first.microseconds - previous.last.microseconds)
                previous = hour
                count += 1
            }
            day += 1
        }
        return longest > 0 ? longest : nil
    }
}
