import Logging

/// What the engine logs, as lines on standard error that do not run into the progress bar.
struct TerminalLogHandler: LogHandler {
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]
    let console: Console

    init(console: Console) { self.console = console }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        if event.level >= .warning {
            console.warn("\(event.message)\(fields)")
        } else {
            console.note("\(event.level): \(event.message)\(fields)")
        }
    }
}
