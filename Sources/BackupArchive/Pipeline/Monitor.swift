internal import Glibc

/// A lock with a condition: the few places where threads, not tasks, wait for each other. Blocking threads are needed
/// because SQLite and libpq block, and because deflate workers must not hold Swift's cooperative pool.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func locked<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Within ``locked(_:)``: lets others in until one of them calls ``signalAll()``.
    func wait() { pthread_cond_wait(condition, mutex) }

    func signalAll() { pthread_cond_broadcast(condition) }
}
