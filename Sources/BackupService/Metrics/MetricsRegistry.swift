internal import Metrics
internal import Synchronization

/// Keeps what is counted in this process, behind swift-metrics, and tells it in Prometheus' text form. A metric has a
/// limited number of label values; what comes beyond is counted together under `other`.
final class MetricsRegistry: MetricsFactory {
    /// For each metric.
    static let mostSeries = 1_000

    private enum Series {
        case count(CountSeries)
        case spread(SpreadSeries)
    }

    private let series = Mutex<[String: [MetricLabels: Series]]>([:])
    private let bounds: [String: [Double]]

    init(_ definitions: [MetricDefinition]) {
        bounds = Dictionary(
            definitions.map { ($0.name, $0.buckets) }, uniquingKeysWith: { first, _ in first })
    }

    /// Adds the samples of a metric.
    func write(_ metric: MetricDefinition, to text: inout PrometheusText) {
        let found = series.withLock { $0[metric.name] ?? [:] }
        for (labels, series) in found.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .count(let count): text.add(metric.name, labels, count.value)
            case .spread(let spread): text.add(metric.name, labels, spread.current, bounds: spread.bounds)
            }
        }
    }

    private func find(_ name: String, _ dimensions: [(String, String)], _ make: () -> Series) -> Series {
        series.withLock { all in
            var labels = MetricLabels(dimensions)
            if let known = all[name]?[labels] { return known }
            if all[name]?.count ?? 0 >= MetricsRegistry.mostSeries {
                labels = MetricLabels(dimensions.map { ($0.0, MetricLabels.other) })
                if let known = all[name]?[labels] { return known }
            }
            let new = make()
            all[name, default: [:]][labels] = new
            return new
        }
    }

    private func count(_ name: String, _ dimensions: [(String, String)]) -> CountSeries {
        if case .count(let found) = find(name, dimensions, { .count(CountSeries()) }) { return found }
        // The name is that of another kind: what is counted here is told by nobody.
        return CountSeries()
    }

    private func spread(_ name: String, _ dimensions: [(String, String)]) -> SpreadSeries {
        let bounds = bounds[name] ?? []
        if case .spread(let found) = find(name, dimensions, { .spread(SpreadSeries(bounds: bounds)) }) { return found }
        return SpreadSeries(bounds: bounds)
    }

    // MARK: - MetricsFactory

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { count(label, dimensions) }

    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler { count(label, dimensions) }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { count(label, dimensions) }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        spread(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { spread(label, dimensions) }

    // What was counted stays told: a counter that vanishes and comes again would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
