internal import Foundation
internal import Glibc

/// A program that runs in a process group of its own, whose output is read here, and whose input and errors are
/// /dev/null. Foundation's `Process` learns of a program's end only when all that it left behind have ended too.
///
/// Used by one thread. Once ``ending()`` is not nil or ``stop()`` was called, nothing of it is left.
final class ChildProcess {
    enum Ending: Equatable {
        case status(Int32)
        case signal(Int32)
    }

    enum Output {
        /// For now.
        case nothing
        case closed
        case bytes([UInt8])
    }

    private static let pollMilliseconds: Int32 = 20

    private let identifier: pid_t
    private let descriptor: Int32
    private var ended: Ending?
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)

    /// - Parameter words: the program's name and its arguments.
    /// - Returns: nil where it cannot be started.
    init?(_ path: String, _ words: [String], _ environment: [String: String]) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        let identifier = Self.spawn(path, words, environment, output: ends[1])
        close(ends[1])
        guard let identifier else {
            close(ends[0])
            return nil
        }
        self.identifier = identifier
        descriptor = ends[0]
    }

    deinit { close(descriptor) }

    /// How it ended; nil while it runs.
    func ending() -> Ending? {
        if ended == nil { wait(WNOHANG) }
        return ended
    }

    /// Waits a little for more.
    func output() -> Output {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Self.pollMilliseconds) > 0 else { return .nothing }
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { return .nothing }
        return count > 0 ? .bytes(Array(buffer.prefix(count))) : .closed
    }

    func pause() { poll(nil, 0, Self.pollMilliseconds) }

    /// Ends it and all of its group, which has a second to do so by itself.
    func stop() {
        kill(-identifier, SIGTERM)
        for _ in 0..<1000 / Self.pollMilliseconds where ending() == nil { pause() }
        kill(-identifier, SIGKILL)
        while ended == nil { wait(0) }
    }

    private func wait(_ options: Int32) {
        var status: Int32 = 0
        let found = waitpid(identifier, &status, options)
        if found == identifier {
            ended = status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
        } else if found < 0, errno != EINTR {
            // Somebody else of this process waited for it.
            ended = .status(-1)
        }
    }

    private static func spawn(
        _ path: String, _ words: [String], _ environment: [String: String], output: Int32
    ) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // glibc passes over those that are closed by then.
        for open in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            guard let descriptor = Int32(open), descriptor > STDERR_FILENO else { continue }
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process ignores or holds back are the program's own matter.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var identifier: pid_t = 0
        // A program that was written a moment ago is busy as long as another thread's fork holds it open (execve(2)).
        for _ in 0..<100 {
            let status = posix_spawn(&identifier, path, &actions, &attributes, &arguments, &variables)
            if status == 0 { return identifier }
            guard status == ETXTBSY else { return nil }
            usleep(20_000)
        }
        return nil
    }
}
