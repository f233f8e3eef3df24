import BackupArchive
import BackupCore
import Testing

/// Two hundred readings each: what hangs or loses an error does so only now and then.
@Suite("An error on any thread ends a reading, and is told", .timeLimit(.minutes(5)))
struct PipelineFailureTests {
    enum Place: CaseIterable { case tableBegins, tableEnds, advanced, process, deliver, makeBufferThenDeliver }

    private struct Expected: Error, Equatable { var number: Int }

    private final class Failing: ArchiveConsumer {
        let place: Place
        let error: Expected
        /// How many calls at the place succeed.
        private var left: Int

        init(_ place: Place, _ error: Expected, after calls: Int) {
            self.place = place
            self.error = error
            left = calls
        }

        func pass(_ place: Place) throws {
            guard place == self.place else { return }
            if left == 0 { throw error }
            left -= 1
        }

        func beginTable(_ name: String, description: TableDescription?) throws -> (any RowStage)? {
            try pass(.tableBegins)
            return Stage(self)
        }
        func endTable(_ totals: TableTotals) throws { try pass(.tableEnds) }
        func advanced(table: String, rows: Int64, bytes: Int64) throws { try pass(.advanced) }

        private final class Stage: RowStage, @unchecked Sendable {
            private let consumer: Failing
            private let failsInProcess: Bool

            init(_ consumer: Failing) {
                self.consumer = consumer
                failsInProcess = consumer.place == .process
            }

            func makeBuffer() -> (any AnyObject & Sendable)? { consumer.place == .makeBufferThenDeliver ? self : nil }
            func process(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
                if failsInProcess { throw consumer.error }
            }
            func deliver(_ batch: RowBatch, _ buffer: (any AnyObject & Sendable)?) throws {
                try consumer.pass(.deliver)
                if buffer != nil { try consumer.pass(.makeBufferThenDeliver) }
            }
        }
    }

    @Test("the consumer's and the workers'", arguments: Place.allCases, [true, false])
    func consumer(_ place: Place, _ isPlain: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try archive(isPlain, directory)
        for number in 0..<200 {
            let consumer = Failing(place, Expected(number: number), after: number % 3 == 0 ? 1 : 0)
            let reader = try ArchiveReader.open(path: path)
            let error = #expect(throws: Expected.self) {
                try reader.read(tables: nil, workers: 1 + number % 4, consumer: consumer)
            }
            #expect(error == Expected(number: number))
        }
    }

    @Test("the producer's", arguments: [true, false])
    func producer(_ isPlain: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try archive(isPlain, directory)
        let bytes = try Files.read(path)
        try Files.write(Array(bytes[..<(bytes.count - 20)]), to: path)
        for number in 0..<200 {
            let error = try Reading.failure(path, usingManifest: false, workers: 1 + number % 4)
            #expect(error?.code == .damaged)
        }
    }

    private func archive(_ isPlain: Bool, _ directory: TemporaryDirectory) throws -> String {
        let tables = [SampleTable.random("a", count: 9_000, seed: 11), .random("b", count: 9_000, seed: 12)]
        guard isPlain else { return try Sample.write(tables, in: directory).path }
        let lists = tables.map { table in
            "\"\(table.name)\":[" + table.rows.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",") + "]"
        }
        let path = directory.file("plain.json.gz")
        try Files.write(
            Array((#"{"version":"1.2.0","tables":{"# + lists.joined(separator: ",") + "}}").utf8), to: path)
        return path
    }
}
