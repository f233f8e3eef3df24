import ArgumentParser
import BackupCore

/// How long a job's backups are kept.
struct RetentionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep backups for so many days; 0: only by the rules below.", valueName: "n"))
    var retentionDays: Int?

    @Option(help: ArgumentHelp("Keep the newest so many.", valueName: "n"))
    var keepLast: Int?

    @Option(help: ArgumentHelp("Keep the newest of each of so many hours.", valueName: "n"))
    var keepHourly: Int?

    @Option(help: ArgumentHelp("Of each of so many days.", valueName: "n"))
    var keepDaily: Int?

    @Option(help: ArgumentHelp("Of each of so many weeks.", valueName: "n"))
    var keepWeekly: Int?

    @Option(help: ArgumentHelp("Of each of so many months.", valueName: "n"))
    var keepMonthly: Int?

    @Option(help: ArgumentHelp("Of each of so many years.", valueName: "n"))
    var keepYearly: Int?

    @Option(help: ArgumentHelp("Delete the oldest when all are larger than this; 0: no limit.", valueName: "size"))
    var maxSize: String?

    @Option(help: ArgumentHelp("So many good backups always stay.", valueName: "n"))
    var keepMinimum: Int?

    func validate() throws {
        guard let maxSize else { return }
        guard Quantity.bytes(maxSize) != nil else {
            throw ValidationError("--max-size must be a size such as 20GiB, in bytes without a unit.")
        }
    }

    var change: RetentionChange {
        var change = RetentionChange(days: retentionDays)
        change.last = keepLast
        change.hourly = keepHourly
        change.daily = keepDaily
        change.weekly = keepWeekly
        change.monthly = keepMonthly
        change.yearly = keepYearly
        change.maximumBytes = maxSize.flatMap(Quantity.bytes).map(Int64.init)
        change.minimum = keepMinimum
        return change
    }
}
