import BackupCore
import BackupEngine
import FoundationEssentials
import Synchronization

/// What a command says: its result on standard output, everything else on standard error.
///
/// With `--json` standard output gets exactly one JSON object, and nothing else.
final class Console: Sendable {
    let json: Bool
    private let style: Style
    private let progress: Mutex<ProgressLine>

    init(json: Bool) {
        self.json = json
        style = Style(descriptor: .messages)
        progress = Mutex(ProgressLine(descriptor: .messages, style: style))
    }

    /// Ends a command: the response as JSON, or the text for people.
    func finish(_ response: some Encodable, text: () throws -> String) throws {
        progress.withLock { $0.clear() }
        let result = json ? try Console.encode(response) : try text()
        try Descriptor.output.write(result.isEmpty || result.hasSuffix("\n") ? result : result + "\n")
    }

    /// Ends a command whose text for people is made from the response itself, field by field.
    func finish(_ response: some Encodable) throws {
        try finish(response) { try TextReport(of: response).text }
    }

    /// A line on standard error that concerns the user whatever the result.
    func warn(_ message: String) {
        progress.withLock { line in
            guard line.toldWarnings.insert(message).inserted else { return }
            line.clear()
            say(style.yellow("warning:") + " " + Printable.line(message))
        }
    }

    /// The warnings of a response that were not told while it was being made.
    func warn(_ messages: [String]) {
        for message in messages { warn(message) }
    }

    /// A line on standard error.
    func note(_ message: String) {
        progress.withLock { line in
            line.clear()
            say(Printable.line(message))
        }
    }

    /// Takes a verb's events.
    func observe(_ event: ProgressEvent) {
        switch event {
        case .warning(let message): warn(message)
        case .began, .step: break
        case .transfer(let transfer, let bytes, let total):
            progress.withLock { $0.update(transfer, bytes: bytes, of: total) }
        case .progress(let table, let rows, let bytes, let expected):
            progress.withLock { $0.update(table: table, rows: rows, bytes: bytes, expectedRows: expected) }
        }
    }

    /// Tells of a failure: one line on standard error, and with `--json` an object on standard output.
    func fail(_ error: BackupError) {
        progress.withLock { line in
            line.clear()
            say(style.red(Printable.line(error.description)))
        }
        guard json else { return }
        let failure = Failure(success: false, error: error.description, code: error.code.rawValue)
        // Standard error has told it already; where standard output is gone too, there is nobody left to tell.
        try? Descriptor.output.write(Console.encode(failure) + "\n")
    }

    private func say(_ text: String) {
        // A message that cannot be written has no other place to go.
        try? Descriptor.messages.write("elder-backup: \(text)\n")
    }

    private struct Failure: Encodable {
        var success: Bool
        var error: String
        var code: String
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
