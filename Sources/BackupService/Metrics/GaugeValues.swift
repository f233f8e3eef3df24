internal import BackupCore
internal import BackupEngine

/// What a scrape tells of the present.
struct GaugeValues {
    private var values: [String: [MetricLabels: Double]] = [:]

    /// More jobs than these are not told of one by one.
    private static let mostJobs = MetricsRegistry.mostSeries

    mutating func set(_ metric: MetricDefinition, _ labels: [(String, String)], _ value: Double) {
        values[metric.name, default: [:]][MetricLabels(labels)] = value
    }

    /// For what several things are told of under one set of labels.
    private mutating func sum(_ metric: MetricDefinition, _ labels: [(String, String)], _ value: Double) {
        values[metric.name, default: [:]][MetricLabels(labels), default: 0] += value
    }

    func write(_ metric: MetricDefinition, to text: inout PrometheusText) {
        for (labels, value) in (values[metric.name] ?? [:]).sorted(by: { $0.key < $1.key }) {
            text.add(metric.name, labels, value)
        }
    }

    mutating func add(_ figures: InstallationFigures, now: Timestamp) {
        set(.catalogSize, [], Double(figures.catalogSize))
        set(.diskFree, [], Double(figures.diskFree))
        set(.diskSize, [], Double(figures.diskSize))
        set(.runsActive, [], Double(figures.catalog.running.count))
        let jobs = figures.jobs.prefix(GaugeValues.mostJobs)
        for job in jobs {
            set(.jobEnabled, [("backup_job", job.name)], job.enabled ? 1 : 0)
            if let gap = job.longestGap(after: now) { set(.jobLongestGap, [("backup_job", job.name)], gap) }
        }
        let labels = JobLabels(figures.jobs, told: GaugeValues.mostJobs)
        for group in figures.catalog.groups {
            let job = ("backup_job", labels[group.jobID])
            sum(.backups, [job, ("status", group.status.rawValue)], Double(group.count))
            if group.status == .completed { sum(.backupsSize, [job], Double(group.size)) }
        }
        let known = Set(jobs.map(\.id))
        for run in figures.catalog.newestCompleted where known.contains(run.jobID) { addNewest(run, labels) }
        for run in figures.catalog.newestEnded where known.contains(run.jobID) {
            let job = ("backup_job", labels[run.jobID])
            if let started = run.startedAt { set(.jobLastRun, [job], GaugeValues.seconds(started)) }
            set(.jobLastFailed, [job], run.isCompleted ? 0 : 1)
        }
        for copies in figures.catalog.copies {
            set(.copies, [("store", copies.store), ("state", copies.state)], Double(copies.count))
        }
        for (store, count) in figures.catalog.missingCopies { set(.copiesMissing, [("store", store)], Double(count)) }
    }

    private mutating func addNewest(_ run: CatalogFigures.Run, _ labels: JobLabels) {
        let job = ("backup_job", labels[run.jobID])
        if let ended = run.endedAt { set(.jobLastSuccess, [job], GaugeValues.seconds(ended)) }
        if let seconds = run.seconds { set(.jobLastDuration, [job], seconds) }
        set(.jobLastSize, [job], Double(run.size))
        set(.jobLastRows, [job], Double(run.rows))
    }

    private static func seconds(_ moment: Timestamp) -> Double { Double(moment.microseconds) / 1_000_000 }
}
