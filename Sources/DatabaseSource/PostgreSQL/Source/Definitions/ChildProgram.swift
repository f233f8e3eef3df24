internal import BackupCore
internal import Glibc

/// What a program wrote, and how it ended.
struct ChildProgram {
    var status: Int32
    var output: [UInt8]
    var errors: String

    /// Runs a program to its end: ``RunningProgram`` in one call.
    ///
    /// - Returns: nil where it cannot be started.
    static func run(
        _ path: String, _ arguments: [String], environment: [String], largestOutput: Int,
        isCancelled: () -> Bool
    ) throws(BackupError) -> ChildProgram? {
        guard let running = try RunningProgram.start(path, arguments, environment: environment) else { return nil }
        return try running.finish(largestOutput: largestOutput, isCancelled: isCancelled)
    }
}

/// A program that runs; one that nobody waits for any more is ended.
struct RunningProgram: ~Copyable {
    private let path: String
    private var process: pid_t
    private let output: Int32
    private let errors: Int32

    private init(path: String, process: pid_t, output: Int32, errors: Int32) {
        self.path = path
        self.process = process
        self.output = output
        self.errors = errors
    }

    deinit {
        if process > 0 {
            kill(process, SIGTERM)
            while waitpid(process, nil, 0) < 0, errno == EINTR {}
        }
        close(output)
        close(errors)
    }

    /// Starts a program without a shell, with nothing to read.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own name. Never a secret: other users can read them.
    ///   - environment: all of the program's environment, as `NAME=VALUE`.
    /// - Returns: nil where it cannot be started.
    static func start(
        _ path: String, _ arguments: [String], environment: [String]
    ) throws(BackupError) -> RunningProgram? {
        var pipes = [[Int32](repeating: -1, count: 2), [Int32](repeating: -1, count: 2)]
        var kept: [Int32] = []
        defer {
            for descriptor in pipes.joined() where descriptor >= 0 && !kept.contains(descriptor) { close(descriptor) }
        }
        for index in 0..<2 {
            guard pipe(&pipes[index]) == 0 else {
                throw .system(.source, "make a pipe for", path: path, errno: errno)
            }
            for descriptor in pipes[index] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        guard let process = spawn(path, arguments, environment, out: pipes[0][1], error: pipes[1][1]) else {
            return nil
        }
        kept = [pipes[0][0], pipes[1][0]]
        return RunningProgram(path: path, process: process, output: kept[0], errors: kept[1])
    }

    /// Waits for its end.
    ///
    /// - Parameter largestOutput: what more it writes ends it, in bytes.
    consuming func finish(largestOutput: Int, isCancelled: () -> Bool) throws(BackupError) -> ChildProgram {
        let texts = try RunningProgram.read([output, errors], largestOutput, path, isCancelled)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        process = 0
        // The lower seven bits are the signal that ended it.
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
        return ChildProgram(status: code, output: texts[0], errors: String(decoding: texts[1], as: UTF8.self))
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], out: Int32, error: Int32
    ) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        return posix_spawn(&process, path, &actions, nil, &words, &variables) == 0 ? process : nil
    }

    private static func read(
        _ descriptors: [Int32], _ largest: Int, _ path: String, _ isCancelled: () -> Bool
    ) throws(BackupError) -> [[UInt8]] {
        var texts: [[UInt8]] = [[], []]
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while polled.contains(where: { $0.fd >= 0 }) {
            if isCancelled() { throw BackupError(.cancelled, "cancelled; nothing was changed") }
            guard poll(&polled, 2, 200) >= 0 || errno == EINTR else {
                throw .system(.source, "wait for", path: path, errno: errno)
            }
            for index in 0..<2 where polled[index].fd >= 0 && polled[index].revents != 0 {
                let count = Glibc.read(polled[index].fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 {
                    // A negative descriptor is passed over.
                    polled[index].fd = -1
                } else {
                    guard texts[index].count + count <= largest else {
                        throw BackupError(.unsupported, "\(path) writes more than \(largest) bytes")
                    }
                    texts[index] += buffer[..<count]
                }
            }
        }
        return texts
    }
}
