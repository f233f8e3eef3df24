import BackupCore
import BackupEngine
import Foundation
import S3Client
import Testing

/// A real server that the tests run against, as `Tests/Servers/servers.sh environment` tells of it.
enum TestServer: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case rgw = "RGW"
    case rclone = "RCLONE"
    case moto = "MOTO"

    var testDescription: String { rawValue.lowercased() }

    static let environment = ProcessInfo.processInfo.environment

    /// False skips a test. Where nobody looks, a test that cannot run is one that fails.
    static let areThere: Bool =
        environment["CI"] == "true" || allCases.allSatisfy { environment[$0.variable] != nil }

    /// For the one who wonders why.
    static let advice: Comment =
        "start servers first: Tests/Servers/servers.sh start, then eval \"$(Tests/Servers/servers.sh environment)\""

    private var variable: String { "ELDER_BACKUP_TEST_S3_" + rawValue }

    static func value(_ name: String) throws -> String {
        guard let value = environment["ELDER_BACKUP_TEST_S3_" + name], !value.isEmpty else {
            throw MissingServer(description: "ELDER_BACKUP_TEST_S3_\(name) is not set; \(advice)")
        }
        return value
    }

    var address: String { get throws { try TestServer.value(rawValue) } }

    static var keys: StoreSettings.Keys {
        get throws {
            StoreSettings.Keys(accessKey: try value("ACCESS_KEY"), secretKey: Secret(try value("SECRET_KEY")))
        }
    }

    /// A store with a bucket of its own.
    func store(_ name: String = "s3", bucket: String) throws -> StoreSettings {
        var store = StoreSettings(name: name, bucket: bucket)
        store.endpoint = try address
        store.keys = try TestServer.keys
        return store
    }

    /// A client that sees what the code under test has done.
    func client(_ keys: StoreSettings.Keys? = nil) throws -> S3Client {
        let keys = try keys ?? TestServer.keys
        return try S3Client(
            S3Configuration(
                endpoint: S3Endpoint(parsing: address),
                credentials: StaticCredentials(
                    Credentials(
                        accessKeyID: keys.accessKey, secretAccessKey: keys.secretKey.revealed, source: "test"))))
    }
}

struct MissingServer: Error, CustomStringConvertible {
    var description: String
}
