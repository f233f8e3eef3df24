import Foundation
import Glibc

/// One run of the program in a directory of its own.
struct CommandRun {
    let status: Int32
    let output: String
    let messages: String

    /// Standard output as one JSON object; nil where it is anything else, or more.
    var object: [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
    }

    /// The program that was built together with the tests.
    static let program: URL = {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        let tests = URL(filePath: String(decoding: bytes, as: UTF8.self))
        return tests.deletingLastPathComponent().appending(path: "elder-backup")
    }()

    init(
        _ arguments: [String], environment: [String: String] = [:], in directory: TemporaryDirectory,
        output: FileHandle? = nil, program: URL = CommandRun.program
    ) throws {
        let outputFile = directory.url.appending(path: ".output")
        let messageFile = directory.url.appending(path: ".messages")
        try Data().write(to: outputFile)
        try Data().write(to: messageFile)
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = directory.url
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try output ?? FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: messageFile)
        try process.run()
        process.waitUntilExit()
        status = process.terminationStatus
        self.output = try String(decoding: Data(contentsOf: outputFile), as: UTF8.self)
        messages = try String(decoding: Data(contentsOf: messageFile), as: UTF8.self)
    }

    /// Of `config show --json`: the value and origin of a setting.
    func setting(_ name: String) -> (value: String?, origin: String?) {
        let settings = object?["settings"] as? [[String: Any]] ?? []
        let setting = settings.first { $0["name"] as? String == name }
        return (setting?["value"] as? String, setting?["origin"] as? String)
    }
}

/// A directory that goes with the last reference to it.
final class TemporaryDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "elder-backup-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: url.appending(path: name))
    }

    func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }
}
