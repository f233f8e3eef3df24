internal import Glibc

/// A lock with a condition for each role that waits: the few places where threads, not tasks, wait for each other. Blocking threads are needed
/// because SQLite and libpq block, and because deflate workers must not hold Swift's cooperative pool.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let conditions = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: Role.allCases.count)

    /// Who waits: a change that concerns one of them wakes nobody else.
    enum Role: Int, CaseIterable {
        case producer, worker, consumer, owner
    }

    init() {
        pthread_mutex_init(mutex, nil)
        for role in Role.allCases { pthread_cond_init(condition(role), nil) }
    }

    deinit {
        for role in Role.allCases { pthread_cond_destroy(condition(role)) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    private func condition(_ role: Role) -> UnsafeMutablePointer<pthread_cond_t> { conditions + role.rawValue }

    func locked<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Within ``locked(_:)``: lets others in until one of them wakes this role.
    func wait(as role: Role) { pthread_cond_wait(condition(role), mutex) }

    /// Wakes one of the role that waits.
    func wake(_ role: Role) { pthread_cond_signal(condition(role)) }

    func wakeAll() {
        for role in Role.allCases { pthread_cond_broadcast(condition(role)) }
    }
}
