// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "elder-backup",
    products: [
        .executable(name: "elder-backup", targets: ["elder-backup"]),
        .library(name: "S3Client", targets: ["S3Client"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CIgzip", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "CLibdeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .target(name: "CBytes"),
        .target(name: "CNumber"),
        .target(name: "CGlibc"),
        .target(name: "BackupCore", dependencies: ["CXXHash"]),
        .target(name: "BackupFiles", dependencies: ["BackupCore", "CGlibc"]),
        .target(
            name: "BackupArchive",
            dependencies: [
                "BackupCore", "BackupFiles", "CIgzip", "CLibdeflate", "CXXHash",
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),
        .target(
            name: "DatabaseSource",
            dependencies: ["BackupCore", "BackupFiles", "CBytes", "CLibpq", "CSQLite", "CNumber"]),
        .target(
            name: "S3Client",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "BackupCatalog",
            dependencies: [
                "BackupCore", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        .target(
            name: "BackupEngine",
            dependencies: [
                "BackupCore", "BackupFiles", "CGlibc", "BackupArchive", "DatabaseSource", "BackupCatalog", "S3Client",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .target(
            name: "BackupService",
            dependencies: [
                "BackupCore", "BackupEngine",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "elder-backup",
            dependencies: [
                "BackupCore", "BackupEngine", "BackupService", "CGlibc",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(name: "s3-transfer", dependencies: ["S3Client"], path: "Benchmarks/S3Transfer"),
        .executableTarget(
            name: "compression-curve", dependencies: ["BackupArchive", "BackupCore"],
            path: "Benchmarks/Compression"),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(
            name: "NetworkTestSupport",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/NetworkTestSupport"
        ),
        .testTarget(name: "BackupCoreTests", dependencies: ["BackupCore", "TestSupport"], exclude: ["Golden"]),
        .testTarget(
            name: "BackupArchiveTests",
            dependencies: ["BackupCore", "BackupFiles", "BackupArchive", "CXXHash", "TestSupport"],
            exclude: ["Golden"]),
        .testTarget(
            name: "BackupCatalogTests",
            dependencies: ["BackupCore", "BackupCatalog", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .testTarget(
            name: "DatabaseSourceTests", dependencies: ["BackupCore", "DatabaseSource", "CSQLite", "TestSupport"]),
        .testTarget(
            name: "PostgreSQLTests",
            dependencies: [
                "BackupCore", "BackupEngine", "DatabaseSource", "TestSupport", "elder-backup",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Support/Torture.sql", "Chinook"]
        ),
        .testTarget(
            name: "BackupEngineTests",
            dependencies: [
                "BackupCore", "BackupFiles", "BackupArchive", "BackupCatalog", "BackupEngine", "DatabaseSource",
                "CSQLite", "TestSupport", "NetworkTestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "S3ClientTests",
            dependencies: [
                "S3Client", "TestSupport", "NetworkTestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "BackupCore", "BackupArchive", "BackupCatalog", "BackupEngine", "S3Client", "elder-backup",
                "CrashHarness", "CSQLite", "NetworkTestSupport", .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "S3IntegrationTests",
            dependencies: [
                "S3Client", "TestSupport", "NetworkTestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]
        ),
        .testTarget(
            name: "BackupServiceTests",
            dependencies: [
                "BackupCore", "BackupCatalog", "BackupEngine", "BackupService", "CSQLite", "TestSupport",
                "NetworkTestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(name: "CommandTests", dependencies: ["elder-backup", "CSQLite", "NetworkTestSupport"]),
        .executableTarget(
            name: "CrashHarness",
            dependencies: ["BackupCore", "BackupEngine", .product(name: "Logging", package: "swift-log")],
            path: "Tests/CrashHarness"
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "elder-backup", "CrashHarness", "BackupCore", "BackupArchive", "BackupCatalog", "BackupEngine",
                "CSQLite", .product(name: "Logging", package: "swift-log"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

for target in package.targets where target.type != .system {
    if ["CBytes", "CNumber", "CGlibc"].contains(target.name) { continue }
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
        .treatAllWarnings(as: .error),
    ]
}
