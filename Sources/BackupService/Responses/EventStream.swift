internal import BackupCore
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): `progress`, `warning`, and `end`,
/// which is the last one.
struct EventStream: Sendable {
    /// How long a connection may be silent before a comment keeps it open.
    static let heartbeat = Duration.seconds(15)

    /// What comes with the last event.
    typealias Ending = @Sendable () async throws -> any Encodable & Sendable

    static func response(_ body: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream; charset=utf-8"
        headers[.cacheControl] = "no-store"
        // A proxy that collects what it passes on would make a stream useless.
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await body(&writer)
                try await writer.finish(nil)
            })
    }

    /// Tells of a run until it is over.
    static func follow(_ log: RunLog, ending: @escaping Ending) -> Response {
        response { writer in
            let (signals, signal) = log.listen()
            defer { signal.finish() }
            let beating = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: heartbeat)
                    signal.yield()
                }
            }
            defer { beating.cancel() }
            var told = RunDescription.Progress()
            var warnings = 0
            var lastWritten = ContinuousClock.now
            for await _ in signals {
                let now = log.description
                var text = ""
                if now.progress != told {
                    text += try event("progress", now.progress)
                    told = now.progress
                }
                for warning in now.warnings.dropFirst(warnings) { text += try event("warning", ["message": warning]) }
                warnings = now.warnings.count
                if now.isOver { text += try event("end", End(state: now.state.rawValue, value: try await ending())) }
                if text.isEmpty, ContinuousClock.now - lastWritten > heartbeat / 2 { text = ": still there\n\n" }
                if !text.isEmpty {
                    try await writer.write(ByteBuffer(string: text))
                    lastWritten = .now
                }
                if now.isOver { break }
            }
        }
    }

    /// Tells of a backup that another process runs, as far as the catalog does.
    static func watch(
        pause: Duration = .seconds(2), isStopping: @escaping @Sendable () async -> Bool,
        record: @escaping @Sendable () async throws -> BackupRecord
    ) -> Response {
        response { writer in
            var lastWritten = ContinuousClock.now
            while true {
                let now = try await record()
                if now.status != .running {
                    let text = try event("end", End(state: now.status.rawValue, value: now))
                    try await writer.write(ByteBuffer(string: text))
                    return
                }
                if await isStopping() { return }
                if ContinuousClock.now - lastWritten > heartbeat {
                    try await writer.write(ByteBuffer(string: ": still there\n\n"))
                    lastWritten = .now
                }
                try await Task.sleep(for: pause)
            }
        }
    }

    private struct End: Encodable {
        var state: String
        var value: any Encodable & Sendable

        private enum CodingKeys: String, CodingKey {
            case state, backup, run
        }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(state, forKey: .state)
            try value.encode(to: values.superEncoder(forKey: value is BackupRecord ? .backup : .run))
        }
    }

    /// JSON holds no line break, which would end the event.
    private static func event(_ name: String, _ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return "event: \(name)\ndata: \(String(decoding: try encoder.encode(value), as: UTF8.self))\n\n"
    }
}
