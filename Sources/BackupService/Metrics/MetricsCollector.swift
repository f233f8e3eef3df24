internal import BackupCore
internal import BackupEngine
internal import Logging
internal import Metrics

/// Answers a scrape: what the catalog knows is read from it, so that it survives a restart and counts what commands did;
/// what only this process knows comes from the registry.
actor MetricsCollector {
    private let engine: BackupEngine
    private let registry: MetricsRegistry
    private let logger: Logger
    private let started = Timestamp.now()
    private var query: FiguresQuery
    private var failedCopies: [FailedCopyKey: Int64]?
    /// The scrape that goes on: those that come meanwhile get the same answer.
    private var current: Task<InstallationFigures?, Never>?

    private struct FailedCopyKey: Hashable {
        var backupID: Int64
        var store: String
    }

    init(engine: BackupEngine, registry: MetricsRegistry, logger: Logger) {
        self.engine = engine
        self.registry = registry
        self.logger = logger
        query = FiguresQuery(since: started)
    }

    /// - Parameter tasks: what the service works on, and what waits.
    func text(tasks: (active: Int, waiting: Int)) async -> String {
        let figures = await figures()
        var gauges = GaugeValues()
        gauges.set(.buildInfo, [("version", ProgramVersion.current)], 1)
        gauges.set(.startTime, [], Double(started.microseconds) / 1_000_000)
        gauges.set(.tasksActive, [], Double(tasks.active))
        gauges.set(.tasksWaiting, [], Double(tasks.waiting))
        gauges.set(.catalogUp, [], figures == nil ? 0 : 1)
        if let figures { gauges.add(figures, now: Timestamp.now()) }
        var text = PrometheusText()
        for metric in MetricDefinition.all {
            text.begin(metric)
            gauges.write(metric, to: &text)
            registry.write(metric, to: &text)
        }
        return text.text
    }

    private func figures() async -> InstallationFigures? {
        if let current { return await current.value }
        let query = query
        let (engine, logger) = (engine, logger)
        let task = Task { () -> InstallationFigures? in
            do {
                return try await engine.figures(query)
            } catch {
                logger.error("metrics could not be read from the catalog", metadata: ["error": "\(error)"])
                return nil
            }
        }
        current = task
        let figures = await task.value
        current = nil
        if let figures { count(figures) }
        return figures
    }

    /// Adds what has happened since the last scrape.
    private func count(_ figures: InstallationFigures) {
        let labels = JobLabels(figures.jobs)
        for run in figures.catalog.ended {
            let job = ("backup_job", labels[run.jobID])
            let result = run.isCompleted ? "completed" : "failed"
            counter(.runs, [job, ("result", result)]).increment()
            if let seconds = run.seconds {
                Recorder(
                    label: MetricDefinition.runDuration.name, dimensions: [job], aggregate: true, factory: registry
                ).record(seconds)
            }
            guard run.isCompleted else { continue }
            counter(.runBytes, [job]).increment(by: run.size)
            counter(.runRows, [job]).increment(by: run.rows)
        }
        query.lastID = max(figures.catalog.lastID, query.lastID ?? 0)
        query.pending = figures.catalog.running
        countFailures(figures.catalog.failedCopies)
    }

    private func countFailures(_ copies: [CatalogFigures.FailedCopy]) {
        var now: [FailedCopyKey: Int64] = [:]
        for copy in copies {
            let key = FailedCopyKey(backupID: copy.backupID, store: copy.store)
            now[key] = copy.attempts
            guard let before = failedCopies else { continue }
            let more = copy.attempts - (before[key] ?? 0)
            if more > 0 { counter(.uploadFailures, [("store", copy.store)]).increment(by: more) }
        }
        failedCopies = now
    }

    private func counter(_ metric: MetricDefinition, _ labels: [(String, String)]) -> Counter {
        Counter(label: metric.name, dimensions: labels, factory: registry)
    }
}

/// How jobs are called in labels; those that are gone go by one name, and those beyond a number by another.
struct JobLabels {
    static let deleted = "(deleted)"
    private let names: [Int64: String]

    /// - Parameter told: how many of the jobs go by their own names.
    init(_ jobs: [BackupJob], told: Int = .max) {
        let pairs = jobs.enumerated().map { place, job in (job.id, place < told ? job.name : MetricLabels.other) }
        names = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    subscript(_ jobID: Int64) -> String { names[jobID] ?? JobLabels.deleted }
}
