import Foundation

/// Where the servers are, as `Tests/Servers/servers.sh` says.
enum TestEnvironment {
    private static let prefix = "ELDER_BACKUP_TEST_S3_"
    private static let variables = ProcessInfo.processInfo.environment
    private static let needed = [
        "RGW", "RGW_TLS", "RGW_CA", "RGW_STORAGE_CLASSES", "RGW_KMS_KEY_ID", "RCLONE", "MOTO", "ACCESS_KEY",
        "SECRET_KEY",
        "PLAIN_ACCESS_KEY", "PLAIN_SECRET_KEY", "PLAIN_ARN", "SMALL_ACCESS_KEY", "SMALL_SECRET_KEY",
        "SMALL_QUOTA_BYTES",
        "TLS_CERTIFICATE", "TLS_KEY", "PROXY", "PYTHON",
    ]

    static let isContinuousIntegration = variables["CI"] == "true"
    static let isComplete = needed.allSatisfy { !(variables[prefix + $0] ?? "").isEmpty }

    /// Seconds that stand for a day in the gateway's lifecycle; nil where it goes by the calendar.
    static let secondsOfLifecycleDay = variables[prefix + "RGW_LC_DEBUG"].flatMap { Int($0) }

    static let whatToDo =
        "the S3 servers do not run: eval \"$(Tests/Servers/servers.sh start)\" starts them and says where they are"
    static let whatToDoForLifecycle =
        "the gateway's lifecycle goes by the calendar: start it by RGW_LC_DEBUG=2 Tests/Servers/servers.sh start"

    struct Missing: Error, CustomStringConvertible {
        let name: String
        var description: String { "\(name) is not set: \(TestEnvironment.whatToDo)" }
    }

    static func value(_ name: String) throws -> String {
        guard let value = variables[prefix + name] else { throw Missing(name: prefix + name) }
        return value
    }
}
