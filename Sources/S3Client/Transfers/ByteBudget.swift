/// Keeps the bytes in memory below a bound: who wants more than is left waits, first come, first served.
package actor ByteBudget {
    private let total: Int64
    private var left: Int64
    private var waiting: [(bytes: Int64, continuation: CheckedContinuation<Void, Never>)] = []

    package init(_ total: Int64) {
        self.total = max(total, 1)
        left = max(total, 1)
    }

    /// A single wish above the whole budget gets the whole budget.
    package func take(_ bytes: Int64) async {
        let wish = min(bytes, total)
        if waiting.isEmpty, left >= wish {
            left -= wish
            return
        }
        await withCheckedContinuation { waiting.append((wish, $0)) }
    }

    package func giveBack(_ bytes: Int64) {
        left += min(bytes, total)
        while let first = waiting.first, left >= first.bytes {
            left -= first.bytes
            waiting.removeFirst().continuation.resume()
        }
    }
}
