import BackupEngine

/// How far a verb is: a bar on a terminal, a plain line now and then elsewhere.
struct ProgressLine: Sendable {
    /// So that a warning that came while running is not repeated from the response.
    var toldWarnings: Set<String> = []

    private let descriptor: Descriptor
    private let style: Style
    private let isBar: Bool
    private var isShown = false
    private var started: ContinuousClock.Instant?
    private var lastDrawn: ContinuousClock.Instant?
    private var lastAmount: Int64 = 0

    init(descriptor: Descriptor, style: Style) {
        self.descriptor = descriptor
        self.style = style
        isBar = Style.canRedraw(descriptor)
    }

    mutating func update(table: String, rows: Int64, bytes: Int64, expectedRows: Int64?) {
        let share = expectedRows.flatMap { $0 > 0 ? Double(rows) / Double($0) : nil }
        draw(
            Figures(
                count: Printable.count(rows, "row"), subject: table, bytes: bytes, share: share, elapsed: 0),
            amount: rows)
    }

    mutating func update(_ transfer: ProgressEvent.Transfer, bytes: Int64, of total: Int64) {
        draw(
            Figures(
                count: Printable.bytes(bytes), subject: "\(transfer.direction.rawValue) \(transfer.filename)",
                bytes: bytes, share: total > 0 ? Double(bytes) / Double(total) : nil, elapsed: 0),
            amount: bytes)
    }

    /// - Parameter amount: starts again from little when another thing is told of.
    private mutating func draw(_ figures: Figures, amount: Int64) {
        let now = ContinuousClock.now
        if amount < lastAmount { started = nil }
        lastAmount = amount
        guard let started else {
            started = now
            // The first line waits: most runs end before anyone wants one.
            lastDrawn = now
            return
        }
        if let lastDrawn, now - lastDrawn < (isBar ? .milliseconds(100) : .seconds(5)) { return }
        lastDrawn = now
        var figures = figures
        figures.elapsed = max((now - started) / .seconds(1), 0.001)
        // Progress is a courtesy: a terminal that is gone must not end a backup.
        try? descriptor.write(isBar ? "\r" + bar(figures) + "\u{1B}[K" : "elder-backup: \(figures.plain)\n")
        isShown = isBar
    }

    /// Takes the bar away, so that a line can be written.
    mutating func clear() {
        guard isShown else { return }
        isShown = false
        try? descriptor.write("\r\u{1B}[K")
    }

    private func bar(_ figures: Figures) -> String {
        // The last column stays free: some terminals wrap when it is filled.
        let width = max(descriptor.width - 1, 10)
        let barWidth = 20
        guard let share = figures.boundedShare, width > 2 * barWidth else {
            return String(figures.plain.prefix(width))
        }
        let filled = Int((share * Double(barWidth)).rounded())
        let drawn = String(repeating: "#", count: filled) + String(repeating: "-", count: barWidth - filled)
        let text = String(figures.plain.prefix(width - barWidth - 3))
        return "[" + style.green(drawn) + "] " + text
    }

    private struct Figures {
        /// How much is done, with its unit.
        var count: String
        var subject: String
        var bytes: Int64
        /// Of all; an estimate, which may be passed.
        var share: Double?
        /// In seconds.
        var elapsed: Double

        /// Between 0 and 1.
        var boundedShare: Double? { share.map { min(1, max(0, $0)) } }

        var plain: String {
            var parts: [String] = []
            let share = boundedShare
            if let share { parts.append("\(Int(share * 100)) %") }
            parts.append(count)
            parts.append(Printable.decimal(Double(bytes) / elapsed / 1_000_000, digits: 0) + " MB/s")
            if let share, share > 0.01 {
                parts.append("about " + Printable.remaining(elapsed * (1 - share) / share) + " left")
            }
            parts.append(Printable.line(subject))
            return parts.joined(separator: ", ")
        }
    }
}
