import BackupCore
import BackupEngine
import CSQLite
import Foundation
import Logging
import Synchronization
import Testing

/// A directory of its own, with a backup directory in it, which goes with the last reference.
final class Bench: Sendable {
    let directory: String
    var backups: String { directory + "/backups" }

    init() throws {
        directory = NSTemporaryDirectory() + "engine-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func file(_ name: String) -> String { directory + "/" + name }

    /// The names of the files in the backup directory but for the catalog's and the locks.
    var archiveFiles: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: backups)) ?? []
        return names.filter { !$0.hasPrefix("catalog.sqlite") && $0 != ".locks" }.sorted()
    }

    /// The names of all files beside the backup directory.
    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0 != "backups" }.sorted()
    }

    func engine(
        _ configure: (inout EngineConfiguration) -> Void = { _ in },
        observer: @escaping ProgressObserver = { _ in }
    ) async throws -> BackupEngine {
        var configuration = EngineConfiguration(backupDirectory: backups)
        configuration.lockTimeout = .seconds(5)
        configure(&configuration)
        return try await BackupEngine.open(
            configuration: configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            observer: observer)
    }
}

extension BackupEngine {
    func backUp(_ path: String, _ change: (inout BackupRequest) -> Void = { _ in }) async throws -> BackupResponse {
        var request = BackupRequest()
        request.source = .sqlite(path: path)
        change(&request)
        return try await backup(request)
    }

    @discardableResult
    func restore(
        _ backup: String, into path: String, _ change: (inout RestoreRequest) -> Void = { _ in }
    ) async throws -> RestoreResponse {
        var request = RestoreRequest(backup: BackupReference(backup), target: .sqlite(path: path))
        change(&request)
        return try await restore(request)
    }
}

/// The failure of something that must fail; its code and words.
func failure(_ body: () async throws -> Void) async -> BackupError {
    do {
        try await body()
    } catch let error as BackupError {
        return error
    } catch {
        return BackupError(.internal, "not an error of this program: \(error)")
    }
    return BackupError(.internal, "nothing failed")
}

/// What two databases that ought to be equal are compared by.
enum Comparison {
    struct Output {
        var status: Int32
        var text: Data
    }

    /// Runs the sqlite3 tool.
    static func tool(_ arguments: [String]) throws -> Output {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", "-init", "/dev/null"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Output(status: process.terminationStatus, text: text)
    }

    static func dump(_ path: String) throws -> Data {
        let output = try tool([path, ".dump"])
        guard output.status == 0, output.text.count > 60 else {
            throw TestFailure(description: "sqlite3 \(path) .dump ended with \(output.status)")
        }
        return output.text
    }

    /// What `VACUUM INTO` makes of a database, but for the bytes that differ in equal databases.
    static func vacuumed(_ path: String, in bench: Bench) throws -> Data {
        let copy = bench.file("vacuum-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try TestDatabase(path).run("VACUUM INTO '\(copy)'")
        var data = try Data(contentsOf: URL(filePath: copy))
        for range in [24..<28, 40..<44, 92..<100] { data.replaceSubrange(range, with: Data(count: range.count)) }
        return data
    }

    /// The first line in which two texts differ, for a message.
    static func difference(_ first: Data, _ second: Data) -> String {
        let newline = UInt8(ascii: "\n")
        let (left, right) = (first.split(separator: newline), second.split(separator: newline))
        for index in 0..<max(left.count, right.count) {
            let one = index < left.count ? left[index] : Data()
            let two = index < right.count ? right[index] : Data()
            guard one != two else { continue }
            return "line \(index + 1): \(String(decoding: one.prefix(400), as: UTF8.self)) ≠ "
                + String(decoding: two.prefix(400), as: UTF8.self)
        }
        return "none"
    }

    static func expectEqual(
        _ source: String, _ restored: String, in bench: Bench, vacuumToo: Bool = true,
        _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (expected, found) = (try dump(source), try dump(restored))
        #expect(
            expected == found, "dump: \(difference(expected, found))", sourceLocation: sourceLocation)
        // Where the source has rows that break its own constraints, so has the copy.
        let check = try TestDatabase(source).rows("PRAGMA integrity_check")
        #expect(try TestDatabase(restored).rows("PRAGMA integrity_check") == check, sourceLocation: sourceLocation)
        guard vacuumToo else { return }
        let (left, right) = (try vacuumed(source, in: bench), try vacuumed(restored, in: bench))
        if left != right {
            let place = zip(left, right).enumerated().first { $1.0 != $1.1 }?.offset
            let words = "\(left.count) and \(right.count) bytes, first difference at \(place ?? -1)"
            Issue.record("VACUUM INTO differs: \(words)", sourceLocation: sourceLocation)
        }
    }
}

/// The steps that a verb reached, and an action at one of them.
final class StepWatch: Sendable {
    private let seen = Mutex<[ProgressEvent.Step]>([])
    private let warned = Mutex<[String]>([])
    private let action: @Sendable (ProgressEvent.Step) -> Void

    init(_ action: @escaping @Sendable (ProgressEvent.Step) -> Void = { _ in }) { self.action = action }

    var steps: [ProgressEvent.Step] { seen.withLock { $0 } }
    var warnings: [String] { warned.withLock { $0 } }

    var observer: ProgressObserver {
        { event in
            switch event {
            case .step(let step):
                self.seen.withLock { $0.append(step) }
                self.action(step)
            case .warning(let line): self.warned.withLock { $0.append(line) }
            case .began, .progress, .transfer: break
            }
        }
    }
}

extension Comparison {
    /// An archive's text as any other program reads it.
    static func unzipped(_ path: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure(description: "gzip -dc \(path) failed") }
        return String(decoding: text, as: UTF8.self)
    }
}
