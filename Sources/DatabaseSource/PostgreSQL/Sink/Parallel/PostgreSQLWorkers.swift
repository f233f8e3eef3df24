internal import BackupCore
internal import Foundation
internal import Synchronization

/// Connections with a thread each, which take tasks from one list, the first that may run first.
///
/// Tasks are added by one thread. The first failure ends all: what waits is dropped, and whoever adds or waits next gets
/// the failure.
final class PostgreSQLWorkers: @unchecked Sendable {
    /// What one worker has for itself.
    final class Worker {
        let number: Int
        let connection: PostgreSQLConnection
        /// The rows that go over the connection.
        let rows: PostgreSQLCopySession
        /// Settings that were made, by name.
        var settings: [String: String] = [:]

        init(_ number: Int, _ connection: PostgreSQLConnection) {
            self.number = number
            self.connection = connection
            rows = PostgreSQLCopySession(connection)
        }
    }

    struct Task {
        /// The only worker that may run it; any where nil.
        var worker: Int?
        /// Relations that no other task may touch meanwhile.
        var exclusive: Set<String> = []
        /// Relations that others may touch too, but none exclusively.
        var shared: Set<String> = []
        var work: (Worker) throws(BackupError) -> Void

        func excludes(_ other: Task) -> Bool {
            !exclusive.isDisjoint(with: other.exclusive) || !exclusive.isDisjoint(with: other.shared)
                || !shared.isDisjoint(with: other.exclusive)
        }
    }

    /// Makes the connections wait for nothing any more.
    private final class StopFlag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    let count: Int
    private let flag: StopFlag
    /// Guards all that follows.
    private let condition = NSCondition()
    private var waiting: [Task] = []
    /// By the worker's number.
    private var running: [Int: Task] = [:]
    private var threads = 0
    private var failure: BackupError?

    /// - Parameter connect: opens a connection that gives up when what it is handed says so.
    init(
        count: Int, connect: (_ isStopped: @escaping @Sendable () -> Bool) throws(BackupError) -> PostgreSQLConnection
    ) throws(BackupError) {
        self.count = count
        let flag = StopFlag()
        self.flag = flag
        var workers: [Worker] = []
        for number in 0..<count {
            workers.append(Worker(number, try connect { flag.isSet.load(ordering: .relaxed) }))
        }
        for worker in workers { start(WorkerBox(worker)) }
    }

    /// Hands a worker to its thread, which alone uses it.
    private final class WorkerBox: @unchecked Sendable {
        let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
    }

    private func start(_ box: WorkerBox) {
        condition.withLock { threads += 1 }
        let thread = Thread { [self] in
            serve(box.worker)
            box.worker.connection.close()
            condition.withLock {
                threads -= 1
                condition.broadcast()
            }
        }
        thread.name = "restore-\(box.worker.number)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: The threads

    private func serve(_ worker: Worker) {
        while let task = take(worker) {
            do throws(BackupError) {
                try task.work(worker)
            } catch {
                condition.withLock { failure = failure ?? error }
                flag.isSet.store(true, ordering: .relaxed)
            }
            condition.withLock {
                running[worker.number] = nil
                condition.broadcast()
            }
        }
    }

    /// The first task that may run now; nil at the end.
    private func take(_ worker: Worker) -> Task? {
        condition.withLock {
            while !flag.isSet.load(ordering: .relaxed) {
                let next = waiting.firstIndex { task in
                    (task.worker ?? worker.number) == worker.number && !running.values.contains { $0.excludes(task) }
                }
                if let next {
                    let task = waiting.remove(at: next)
                    running[worker.number] = task
                    return task
                }
                condition.wait()
            }
            return nil
        }
    }

    // MARK: Whoever adds tasks

    /// Adds a task, once no more than `limit` others are waited for.
    func add(_ task: Task, limit: Int = .max) throws(BackupError) {
        try wait { waiting.count + running.count <= limit }
        condition.withLock {
            waiting.append(task)
            condition.broadcast()
        }
    }

    /// The worker with the least to do.
    var leastBusy: Int {
        condition.withLock {
            (0..<count).min { load($0) < load($1) } ?? 0
        }
    }

    private func load(_ number: Int) -> Int {
        waiting.count { $0.worker == number } + (running[number] == nil ? 0 : 1)
    }

    /// Has every worker do something, and waits for all tasks.
    func each(_ work: @escaping (Worker) throws(BackupError) -> Void) throws(BackupError) {
        for number in 0..<count { try add(Task(worker: number, work: work)) }
        try finish()
    }

    /// Waits until no task is left.
    func finish() throws(BackupError) { try wait { waiting.isEmpty && running.isEmpty } }

    private func wait(until isReached: () -> Bool) throws(BackupError) {
        let outcome: Result<Void, BackupError> = condition.withLock {
            while failure == nil, !isReached() { condition.wait() }
            return failure.map { .failure($0) } ?? .success(())
        }
        try outcome.get()
    }

    /// Ends what is being done, closes the connections and waits for the threads.
    func stop() {
        flag.isSet.store(true, ordering: .relaxed)
        condition.withLock {
            waiting = []
            condition.broadcast()
            while threads > 0 { condition.wait() }
        }
    }
}
