/// Moves whole objects: files up and down in parallel parts, objects from store to store.
///
/// Memory stays small whatever the sizes: a file's part is never in memory whole. One value may serve many transfers at
/// the same time; they share its concurrency and its budget.
public struct S3Transfers: Sendable {
    /// Whose store objects are moved to and from.
    public let client: S3Client
    /// How much moves at one time.
    public let options: TransferOptions
    package let gate: ConcurrencyGate
    let budget: ByteBudget

    /// Transfers over one client.
    public init(_ client: S3Client, options: TransferOptions = TransferOptions()) {
        self.client = client
        self.options = options
        gate = ConcurrencyGate(
            initial: options.concurrency ?? client.configuration.profile.initialConcurrency,
            maximum: min(options.maximumConcurrency, client.configuration.connections))
        budget = ByteBudget(options.memory)
    }

    /// Told how many bytes of how many are done. It must not block.
    public typealias Progress = @Sendable (_ done: Int64, _ total: Int64) -> Void

    /// Runs work on parts through the gate, some at a time, and stops at the first failure.
    func forEach<Part: Sendable, Result: Sendable>(
        _ parts: [Part], _ work: @escaping @Sendable (Part, ConcurrencyGate) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var results: [Result] = []
            results.reserveCapacity(parts.count)
            var next = parts.makeIterator()
            // No more tasks than may run: a part of a large file costs a task, and there may be thousands.
            for _ in 0..<options.maximumConcurrency {
                guard let part = next.next() else { break }
                group.addTask { try await through(part, work) }
            }
            while let result = try await group.next() {
                results.append(result)
                if let part = next.next() { group.addTask { try await through(part, work) } }
            }
            return results
        }
    }

    private func through<Part: Sendable, Result: Sendable>(
        _ part: Part, _ work: @Sendable (Part, ConcurrencyGate) async throws -> Result
    ) async throws -> Result {
        try await gate.enter()
        do {
            let result = try await work(part, gate)
            await gate.leave(succeeded: true)
            return result
        } catch {
            await gate.leave(succeeded: false)
            throw error
        }
    }
}

/// A stretch of an object that is moved by one request.
package struct TransferPart: Sendable, Equatable {
    /// From 1.
    package var number: Int
    package var range: Range<Int64>

    package init(number: Int, range: Range<Int64>) {
        self.number = number
        self.range = range
    }

    package var length: Int64 { range.upperBound - range.lowerBound }

    /// The parts of an object, all but the last of one size.
    package static func all(ofObjectOf size: Int64, partSize: Int64) -> [TransferPart] {
        guard size > 0, partSize > 0 else { return [] }
        return (0..<Int((size + partSize - 1) / partSize)).map { index in
            let start = Int64(index) * partSize
            return TransferPart(number: index + 1, range: start..<min(start + partSize, size))
        }
    }
}
