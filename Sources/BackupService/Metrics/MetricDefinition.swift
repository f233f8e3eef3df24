/// What a metric is called and means (`docs/metrics.md`). Names and labels are a promise to dashboards and alerts.
struct MetricDefinition: Sendable {
    enum Kind: String { case counter, gauge, histogram }

    var name: String
    var kind: Kind
    var help: String
    /// Upper bounds of a histogram's buckets, ascending.
    var buckets: [Double] = []
}

extension MetricDefinition {
    static let buildInfo = gauge("build_info", "Always 1; the label tells the version.")
    static let startTime = gauge("start_time_seconds", "When the service started, in Unix time.")
    static let catalogUp = gauge("catalog_up", "Whether the catalog could be read for these figures.")
    static let catalogSize = gauge("catalog_size_bytes", "Size of the catalog's file.")
    static let diskFree = gauge("disk_free_bytes", "Free space where BACKUP_DIR lies.")
    static let diskSize = gauge("disk_size_bytes", "Size of the file system where BACKUP_DIR lies.")

    static let runs = counter("runs_total", "Runs that ended since the service started, its own and those of commands.")
    static let runBytes = counter("run_bytes_total", "Bytes of the archives that completed runs wrote.")
    static let runRows = counter("run_rows_total", "Rows that completed runs wrote.")
    static let runDuration = histogram(
        "run_duration_seconds", "How long runs took.", [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200])
    static let runsActive = gauge("runs_active", "Runs of jobs that go on, the service's and those of commands.")
    static let tasksActive = gauge("tasks_active", "What the service works on by itself: runs, restores, exports, …")
    static let tasksWaiting = gauge("tasks_waiting", "What waits until the service has a place for it.")
    static let uploadFailures = counter(
        "upload_failures_total", "Attempts to copy a backup to a store that failed since the service started.")

    static let jobEnabled = gauge("job_enabled", "Whether the job may run.")
    static let jobLastSuccess = gauge(
        "job_last_success_timestamp_seconds",
        "When the job's newest completed backup of its own database and tables ended, in Unix time.")
    static let jobLastRun = gauge(
        "job_last_run_timestamp_seconds", "When the job's newest run began that has ended, in Unix time.")
    static let jobLastFailed = gauge("job_last_run_failed", "Whether the job's newest run that has ended failed.")
    static let jobLastDuration = gauge("job_last_duration_seconds", "How long the job's newest completed backup took.")
    static let jobLastSize = gauge("job_last_size_bytes", "Size of the job's newest completed backup.")
    static let jobLastRows = gauge("job_last_rows", "Rows of the job's newest completed backup.")
    static let jobLongestGap = gauge(
        "job_longest_gap_seconds", "The longest time between two runs that the job's schedule leaves.")

    static let backups = gauge("backups", "Backups in the catalog.")
    static let backupsSize = gauge("backups_size_bytes", "Sizes of all completed backups.")
    static let copies = gauge("copies", "Copies of backups in stores.")
    static let copiesMissing = gauge("copies_missing", "Completed backups without a good copy in a store.")

    static let requests = counter("http_requests_total", "Requests that were answered.")
    static let requestDuration = histogram(
        "http_request_duration_seconds", "Time until an answer began.",
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

    /// In the order in which they are told.
    static let all = [
        buildInfo, startTime, catalogUp, catalogSize, diskFree, diskSize, runs, runBytes, runRows, runDuration,
        runsActive, tasksActive, tasksWaiting, uploadFailures, jobEnabled, jobLastSuccess, jobLastRun, jobLastFailed,
        jobLastDuration, jobLastSize, jobLastRows, jobLongestGap, backups, backupsSize, copies, copiesMissing, requests,
        requestDuration,
    ]

    private static func gauge(_ name: String, _ help: String) -> MetricDefinition {
        MetricDefinition(name: "elder_backup_" + name, kind: .gauge, help: help)
    }

    private static func counter(_ name: String, _ help: String) -> MetricDefinition {
        MetricDefinition(name: "elder_backup_" + name, kind: .counter, help: help)
    }

    private static func histogram(_ name: String, _ help: String, _ buckets: [Double]) -> MetricDefinition {
        MetricDefinition(name: "elder_backup_" + name, kind: .histogram, help: help, buckets: buckets)
    }
}
