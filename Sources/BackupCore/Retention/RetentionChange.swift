/// What a user says of a policy; nil leaves a rule as it is.
package struct RetentionChange: Sendable, Equatable {
    package var days: Int?
    package var last: Int?
    package var hourly: Int?
    package var daily: Int?
    package var weekly: Int?
    package var monthly: Int?
    package var yearly: Int?
    package var maximumBytes: Int64?
    package var minimum: Int?

    package init(days: Int? = nil) { self.days = days }

    /// Everything that a policy says.
    package init(_ policy: RetentionPolicy) {
        days = policy.days
        last = policy.last
        hourly = policy.hourly
        daily = policy.daily
        weekly = policy.weekly
        monthly = policy.monthly
        yearly = policy.yearly
        maximumBytes = policy.maximumBytes
        minimum = policy.minimum
    }

    /// The largest number that a rule takes; it keeps the arithmetic of dates within its range.
    package static let largest = 1_000_000

    /// - Throws: `usage`, naming the rule, for a number that it cannot have, and for a policy that keeps nothing.
    package func applied(to policy: RetentionPolicy) throws(BackupError) -> RetentionPolicy {
        var policy = policy
        policy.days = try checked(days, "retention days", from: 0) ?? policy.days
        policy.last = try checked(last, "keep last", from: 0) ?? policy.last
        policy.hourly = try checked(hourly, "keep hourly", from: 0) ?? policy.hourly
        policy.daily = try checked(daily, "keep daily", from: 0) ?? policy.daily
        policy.weekly = try checked(weekly, "keep weekly", from: 0) ?? policy.weekly
        policy.monthly = try checked(monthly, "keep monthly", from: 0) ?? policy.monthly
        policy.yearly = try checked(yearly, "keep yearly", from: 0) ?? policy.yearly
        policy.minimum = try checked(minimum, "keep minimum", from: 1) ?? policy.minimum
        if let maximumBytes {
            guard maximumBytes >= 0 else {
                throw BackupError(.usage, "a size of \(maximumBytes) bytes is not possible")
            }
            policy.maximumBytes = maximumBytes
        }
        if policy.isUnlimited {
            throw BackupError(
                .usage, "a retention of 0 days needs another rule beside it, or nothing would ever be deleted")
        }
        return policy
    }

    private func checked(_ number: Int?, _ rule: String, from least: Int) throws(BackupError) -> Int? {
        guard let number else { return nil }
        guard (least...RetentionChange.largest).contains(number) else {
            throw BackupError(
                .usage, "\(rule): \(number) is not possible, give \(least) to \(RetentionChange.largest)")
        }
        return number
    }
}
