internal import BackupCore
internal import Glibc

/// The right to run a job, or to see to an installation's schedule, held by one process at a time among all that share a
/// backup directory.
///
/// The kernel holds the lock (flock(2)) and gives it up when the process ends, however it ends. The file stays, since
/// removing it would let two processes lock two files of the same name.
package struct JobLock: ~Copyable, Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Takes the lock `DIRECTORY/.locks/job-UUID.lock`, without waiting for another run.
    ///
    /// - Throws: `locked` where another run holds it, `storage` where the file cannot be made.
    package static func acquire(directory: String, jobUUID: String) throws -> JobLock {
        try require(jobUUID, "job's UUID")
        return try acquire(directory: directory, name: name(ofJob: jobUUID)) { holder in
            "another run of this job is going on\(holder): wait until it ends, then run again"
        }
    }

    /// Takes the lock `DIRECTORY/.locks/scheduler-INSTALLATION.lock` without waiting.
    ///
    /// - Throws: `locked` where another process holds it, `storage` where the file cannot be made.
    package static func acquireSchedule(directory: String, installation: String) throws -> JobLock {
        try require(installation, "installation's id")
        return try acquire(directory: directory, name: "scheduler-" + installation) { holder in
            "another process sees to the schedule\(holder)"
        }
    }

    /// Whether anybody holds a job's lock at the moment, this process included.
    ///
    /// - Throws: `storage` where that cannot be known.
    package static func isHeld(directory: String, jobUUID: String) throws -> Bool {
        // Nobody can take a lock of such a name.
        guard isPlain(jobUUID) else { return false }
        let path = path(directory, name(ofJob: jobUUID))
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw BackupError.system(.storage, "open the lock", path: path, errno: errno)
        }
        // Several may look at once.
        let number = take(descriptor, LOCK_SH)
        if number == 0 { flock(descriptor, LOCK_UN) }
        close(descriptor)
        guard number == 0 || number == EWOULDBLOCK else {
            throw BackupError.system(.storage, "look at the lock", path: path, errno: number)
        }
        return number != 0
    }

    private static func acquire(directory: String, name: String, refusal: (String) -> String) throws -> JobLock {
        try Directories.make(directory + "/.locks", code: .storage)
        let path = path(directory, name)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupError.system(.storage, "open the lock", path: path, errno: errno) }
        let lock = JobLock(descriptor: descriptor)
        var number = take(descriptor, LOCK_EX)
        // Who only looks whether it is held has it for a moment.
        for _ in 0..<10 where number == EWOULDBLOCK {
            usleep(10_000)
            number = take(descriptor, LOCK_EX)
        }
        guard number == 0 else {
            guard number == EWOULDBLOCK else { throw BackupError.system(.storage, "lock", path: path, errno: number) }
            throw BackupError(.locked, refusal(holder(descriptor).map { " (\($0))" } ?? ""))
        }
        try lock.sign(path: path)
        return lock
    }

    private static func name(ofJob uuid: String) -> String { "job-" + uuid }

    private static func path(_ directory: String, _ name: String) -> String { "\(directory)/.locks/\(name).lock" }

    /// The error number, or 0.
    private static func take(_ descriptor: Int32, _ kind: Int32) -> Int32 {
        while flock(descriptor, kind | LOCK_NB) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    deinit {
        // A child that another thread is just starting has the file too, until it has become its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Writes down who holds the lock, for the message that others give.
    private func sign(path: String) throws(BackupError) {
        let text = Array("process \(getpid()) since \(Timestamp.now().iso8601)\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            throw .system(.storage, "write the lock", path: path, errno: errno)
        }
    }

    /// The holder's own words; nil when it has not written them yet.
    private static func holder(_ descriptor: Int32) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 200, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            let line = buffer[..<count].prefix { (0x20..<0x7F).contains($0) }
            let text = String(decoding: line, as: UTF8.self)
            return text.hasPrefix("process ") ? text : nil
        }
    }

    private static func require(_ id: String, _ what: String) throws(BackupError) {
        guard isPlain(id) else {
            throw BackupError(.catalog, "the \(what) \"\(id.prefix(60))\" is not one; correct it in the catalog")
        }
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
