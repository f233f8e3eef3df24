import Foundation
import Glibc

/// A run of the program that was built together with the tests.
final class ProgramRun: @unchecked Sendable {
    private let process = Process()
    private let directory: String
    private let started = ContinuousClock.now

    static let program: URL = {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        let tests = URL(filePath: String(decoding: bytes, as: UTF8.self))
        return tests.deletingLastPathComponent().appending(path: "elder-backup")
    }()

    init(_ arguments: [String]) throws {
        directory = NSTemporaryDirectory() + "run-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in ["out", "err"] { try Data().write(to: URL(filePath: directory + "/" + name)) }
        process.executableURL = Self.program
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": directory]
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: directory + "/out"))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: directory + "/err"))
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var isRunning: Bool { process.isRunning }

    func killNow() { kill(process.processIdentifier, SIGKILL) }

    struct End {
        var status: Int32
        var wasKilled: Bool
        var output: String
        var messages: String
        var seconds: Double
    }

    func wait() throws -> End {
        process.waitUntilExit()
        let texts = try ["out", "err"].map {
            String(decoding: try Data(contentsOf: URL(filePath: directory + "/" + $0)), as: UTF8.self)
        }
        return End(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: texts[0], messages: texts[1], seconds: (ContinuousClock.now - started) / .seconds(1))
    }
}
