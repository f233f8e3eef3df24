import BackupCore
import BackupEngine
import Foundation
import Glibc

/// Runs the crash harness, which kills itself at a named step.
enum Harness {
    enum Ending: Equatable { case exited(Int32), killed }

    /// Where the programs lie that were built together with the tests.
    static var products: URL {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return URL(filePath: String(decoding: bytes, as: UTF8.self)).deletingLastPathComponent()
    }

    static func run(_ arguments: [String], store: StoreSettings) throws -> Ending {
        let process = Process()
        process.executableURL = products.appending(path: "CrashHarness")
        process.arguments = arguments
        process.environment = [
            "CRASH_S3_ENDPOINT": store.endpoint ?? "", "CRASH_S3_BUCKET": store.bucket,
            "CRASH_S3_ACCESS_KEY": store.keys?.accessKey ?? "",
            "CRASH_S3_SECRET_KEY": store.keys?.secretKey.revealed ?? "",
        ]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
            ? .killed : .exited(process.terminationStatus)
    }
}
