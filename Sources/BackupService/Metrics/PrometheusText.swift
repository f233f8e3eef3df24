/// The labels of one sample, as they are written.
struct MetricLabels: Hashable, Comparable {
    /// Stands for all that is not told of one by one.
    static let other = "other"

    /// `a="b",c="d"`; empty without labels.
    let text: String

    init(_ labels: [(String, String)]) {
        text = labels.map { "\($0.0)=\"\(MetricLabels.escaped($0.1))\"" }.joined(separator: ",")
    }

    private init(text: String) { self.text = text }

    func adding(_ name: String, _ value: String) -> MetricLabels {
        MetricLabels(text: (text.isEmpty ? "" : text + ",") + "\(name)=\"\(value)\"")
    }

    static func < (left: MetricLabels, right: MetricLabels) -> Bool { left.text < right.text }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Metrics in Prometheus' text form, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
struct PrometheusText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func begin(_ metric: MetricDefinition) {
        text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }

    mutating func add(_ name: String, _ labels: MetricLabels, _ value: Double) {
        text += name
        if !labels.text.isEmpty { text += "{\(labels.text)}" }
        text += " \(PrometheusText.number(value))\n"
    }

    mutating func add(_ name: String, _ labels: MetricLabels, _ spread: SpreadSeries.State, bounds: [Double]) {
        var total: Int64 = 0
        for (bound, count) in zip(bounds, spread.counts) {
            total += count
            add(name + "_bucket", labels.adding("le", PrometheusText.number(bound)), Double(total))
        }
        total += spread.counts.last ?? 0
        add(name + "_bucket", labels.adding("le", "+Inf"), Double(total))
        add(name + "_sum", labels, spread.sum)
        add(name + "_count", labels, Double(total))
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return "\(value)"
    }
}
