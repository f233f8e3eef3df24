internal import NIOPosix

/// A few threads that stay, for short questions to the catalog: what every request asks must not cost a new thread.
enum CatalogThreads {
    /// The catalog answers one at a time in any case; the others may wait for the disk.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    /// Runs `body` on one of them and waits for it without blocking. It runs in any case: what a cancelled action leaves
    /// must be written down too.
    static func run<Output: Sendable>(_ body: @escaping @Sendable () throws -> Output) async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            pool.submit { _ in continuation.resume(with: Result { try body() }) }
        }
    }
}
