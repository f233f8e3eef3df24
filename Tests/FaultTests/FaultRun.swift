import Foundation
import Glibc

/// The programs that were built together with the tests.
enum Programs {
    static let product = beside("elder-backup")
    static let harness = beside("CrashHarness")

    private static func beside(_ name: String) -> URL {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return URL(filePath: String(decoding: bytes, as: UTF8.self)).deletingLastPathComponent().appending(path: name)
    }
}

/// How a process ended.
struct FaultRun {
    let status: Int32
    let signal: Int32?
    let output: String
    let messages: String
    let seconds: Double

    var wasKilled: Bool { signal == SIGKILL }

    var object: [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
    }

    /// Runs a program to its end, or kills it after a while.
    init(
        _ arguments: [String], of program: URL = Programs.product, environment: [String: String] = [:],
        in directory: FaultDirectory, killAfter delay: Double? = nil
    ) throws {
        let outputPath = directory.path(".output")
        let messagePath = directory.path(".messages")
        for path in [outputPath, messagePath] { try Data().write(to: URL(filePath: path)) }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = URL(filePath: directory.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outputPath))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: messagePath))
        let started = ContinuousClock.now
        try process.run()
        if let delay {
            usleep(useconds_t(delay * 1e6))
            kill(process.processIdentifier, SIGKILL)
        }
        process.waitUntilExit()
        seconds = (ContinuousClock.now - started) / .seconds(1)
        signal = process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
        status = process.terminationStatus
        output = try String(decoding: Data(contentsOf: URL(filePath: outputPath)), as: UTF8.self)
        messages = try String(decoding: Data(contentsOf: URL(filePath: messagePath)), as: UTF8.self)
    }
}

/// A directory that goes with the last reference to it.
final class FaultDirectory {
    let path: String
    private let isMount: Bool

    /// Whether a small file system can be mounted: by root, where the machine allows it.
    static let canMount = geteuid() == 0 && (try? FaultDirectory(mountedWithSize: "64k")) != nil

    init(mountedWithSize size: String? = nil) throws {
        path = NSTemporaryDirectory() + "elder-backup-fault-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        isMount = size != nil
        if let size, mount("tmpfs", path, "tmpfs", 0, "size=\(size)") != 0 {
            throw FaultFailure(description: "cannot mount a file system at \(path): error \(errno)")
        }
    }

    deinit {
        if isMount { umount2(path, Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: path)
    }

    func path(_ name: String) -> String { path + "/" + name }

    /// The names below the directory, hidden ones too, except those that this file's runs write.
    var names: [String] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return names.filter { $0 != ".output" && $0 != ".messages" }.sorted()
    }

    func has(_ name: String) -> Bool { access(path(name), F_OK) == 0 }
}
