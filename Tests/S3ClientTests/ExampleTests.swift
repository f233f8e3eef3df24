import Foundation
import S3Client
import Testing

@Suite("The example in the library's documentation")
struct ExampleTests {
    /// Compiled, and compared with the documentation line by line; run against real servers elsewhere.
    private static func example() async throws {
        // example
        let credentials = CredentialsChain(environment: ProcessInfo.processInfo.environment)
        let endpoint = try S3Endpoint(parsing: "https://minio.example.com:9000")
        let client = try S3Client(S3Configuration(endpoint: endpoint, credentials: credentials))
        let object = S3Object("backups", "notes.txt")
        try await client.putObject(object, .bytes(Array("hello".utf8)))
        let (head, bytes) = try await client.getObject(object, limit: 1 << 20)
        print(head.size, String(decoding: bytes, as: UTF8.self))
        try await client.deleteObject(object)
        await client.shutdown()
        // end
    }

    @Test("is what this file compiles")
    func documentation() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/S3Client/S3Client.swift")
        let documented = try String(contentsOf: sources, encoding: .utf8).split(separator: "\n")
            .drop { $0 != "/// ```swift" }.dropFirst().prefix { $0 != "/// ```" }
            .map { $0.dropFirst("/// ".count) }
        let compiled = try String(contentsOfFile: #filePath, encoding: .utf8).split(separator: "\n")
            .map { $0.drop { $0 == " " } }
            .drop { $0 != "// example" }.dropFirst().prefix { $0 != "// end" }
        #expect(documented.count == 9)
        #expect(documented.map(String.init) == compiled.map(String.init))
        // It is there to be compiled: its server is nobody's.
        _ = Self.example
    }
}
