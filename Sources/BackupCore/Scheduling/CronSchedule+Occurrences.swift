extension CronSchedule {
    /// The first moment after another at which the schedule is due; nil where none comes within 41 years.
    ///
    /// Where clocks are set forward, what is due in the hour that is skipped is due when it is over; where they are set
    /// back, what is due in the hour that comes twice is due the first time. A schedule of every hour goes on by real
    /// time instead: nothing more, nothing less than once an hour. So does crontab's, see cron(8).
    ///
    /// - Parameter offset: by how many seconds the time zone is ahead of UTC at a moment.
    package func next(after moment: Timestamp, offset: @escaping (Timestamp) -> Int) -> Timestamp? {
        let zone = Zone(offset: offset)
        let local = zone.local(moment)
        // A day before: where clocks were set back over midnight, yesterday is not over yet.
        var day = Timestamp(microseconds: local.microseconds - local.microseconds.modulo(Zone.day) - Zone.day)
        for _ in 0..<CronSchedule.farthestDays {
            if isDue(on: day.civil) {
                let due = minutes(of: day).flatMap { zone.moments($0, isHourly: isHourly) }.filter { $0 > moment }.min()
                if let due { return due }
            }
            day.microseconds += Zone.day
        }
        return nil
    }

    /// 29 February on a given day of the week comes within 40 years, the year 2100 included.
    static let farthestDays = 41 * 366

    var isHourly: Bool { (0..<24).allSatisfy { hours.contains($0) } }

    func isDue(on date: Timestamp.Civil) -> Bool {
        guard months.contains(date.month) else { return false }
        let isDay = daysOfMonth.contains(date.day)
        let isWeekday = daysOfWeek.contains(date.weekday)
        return daysOfMonth.isAny || daysOfWeek.isAny ? isDay && isWeekday : isDay || isWeekday
    }

    private func minutes(of day: Timestamp) -> [Timestamp] {
        (0..<24).filter { hours.contains($0) }.flatMap { hour in
            (0..<60).filter { minutes.contains($0) }.map { minute in
                Timestamp(microseconds: day.microseconds + Int64(hour * 60 + minute) * 60_000_000)
            }
        }
    }

    /// A time zone's clock.
    struct Zone {
        static let day: Int64 = 86_400_000_000

        let offset: (Timestamp) -> Int

        func local(_ moment: Timestamp) -> Timestamp {
            Timestamp(microseconds: moment.microseconds + Int64(offset(moment)) * 1_000_000)
        }

        /// The moments that a local time is due at: none, one or two.
        func moments(_ local: Timestamp, isHourly: Bool) -> [Timestamp] {
            let before = offset(Timestamp(microseconds: local.microseconds - Zone.day))
            let after = offset(Timestamp(microseconds: local.microseconds + Zone.day))
            func moment(_ seconds: Int) -> Timestamp {
                Timestamp(microseconds: local.microseconds - Int64(seconds) * 1_000_000)
            }
            var found = [moment(before)].filter { offset($0) == before }
            if after != before, offset(moment(after)) == after { found.append(moment(after)) }
            if isHourly { return found }
            if let first = found.min() { return [first] }
            return [change(from: moment(after), to: moment(before), before)]
        }

        /// The first moment at which the clock is no longer ahead by `before`.
        private func change(from early: Timestamp, to late: Timestamp, _ before: Int) -> Timestamp {
            var low = early.microseconds / 1_000_000
            var high = late.microseconds / 1_000_000
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if offset(Timestamp(microseconds: middle * 1_000_000)) == before { low = middle } else { high = middle }
            }
            return Timestamp(microseconds: high * 1_000_000)
        }
    }
}

extension Int64 {
    /// What is left of a division, never negative.
    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
