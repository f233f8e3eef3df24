import Foundation
import S3Client
import Testing

/// A bucket of a test's own, and the client that the test speaks through.
struct TestBucket: Sendable {
    let store: TestStore
    let client: S3Client
    let name: String

    func object(_ key: String) -> S3Object { S3Object(name, key) }

    func transfers(_ change: (inout TransferOptions) -> Void = { _ in }) -> S3Transfers {
        var options = TransferOptions()
        options.partSize = 5 << 20
        options.singleRequestLimit = 5 << 20
        change(&options)
        return S3Transfers(client, options: options)
    }

    func read(_ key: String, options: ReadOptions = ReadOptions()) async throws -> [UInt8] {
        try await client.getObject(object(key), options: options, limit: 128 << 20).body
    }

    func put(_ key: String, _ text: String, options: PutOptions = PutOptions()) async throws -> PutResult {
        try await client.putObject(object(key), .bytes(Array(text.utf8)), options: options)
    }

    func keys(prefix: String = "") async throws -> [String] {
        var keys: [String] = []
        for try await object in client.listObjects(in: name, prefix: prefix) { keys.append(object.key) }
        return keys
    }

    static func freshName() -> String { "t-" + UUID().uuidString.lowercased().prefix(18) }
}

/// Makes a bucket, runs a test in it, and deletes it with all that is in it, however the test ends.
func withBucket(
    on store: TestStore, lock: Bool = false, configuring configure: (inout S3Configuration) throws -> Void = { _ in },
    _ body: (TestBucket) async throws -> Void
) async throws {
    let name = TestBucket.freshName()
    var configuration = try await store.configuration()
    if let domain = store.domain { configuration.addresses[name + "." + domain] = "127.0.0.1" }
    try configure(&configuration)
    try await withClient(configuration) { client in
        try await client.createBucket(name, objectLock: lock)
        try await cleaned(name, on: store) {
            try await body(TestBucket(store: store, client: client, name: name))
        }
    }
}

/// The same behind a proxy with nothing wrong yet: the bucket is made, and cleaned, beside the proxy.
///
/// - Parameter providerOptions: a JSON object, where the proxy plays a provider.
func withFaults(
    on store: TestStore = .rgw, providerOptions: String = "{\"rate_limit\": 0}",
    configuring configure: (inout S3Configuration) throws -> Void = { _ in },
    _ body: (TestBucket, FaultyProxy) async throws -> Void
) async throws {
    let name = TestBucket.freshName()
    let server = store.domain == nil ? store : .rgw
    try await withClient(try await server.configuration()) { try await $0.createBucket(name) }
    try await cleaned(name, on: store) {
        try await FaultyProxy.borrowed(before: try store.address) { proxy in
            var configuration = try store.configuration(endpoint: proxy.endpoint)
            if let domain = store.domain {
                try await proxy.tell("{\"provider\": \"\(store.rawValue)\", \"options\": \(providerOptions)}")
                configuration = try store.configuration(endpoint: "http://\(domain):\(proxy.port)")
                configuration.addresses = [domain: "127.0.0.1", name + "." + domain: "127.0.0.1"]
            }
            try configure(&configuration)
            try await withClient(configuration) { client in
                try await body(TestBucket(store: store, client: client, name: name), proxy)
            }
        }
    }
}

func withClient<Result>(
    _ configuration: S3Configuration, _ body: (S3Client) async throws -> Result
) async throws -> Result {
    let client = try S3Client(configuration)
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

/// Runs a test, then deletes its bucket past all proxies. What the test has to say comes first.
func cleaned(_ bucket: String, on store: TestStore, _ body: () async throws -> Void) async throws {
    let failure: (any Error)?
    do {
        try await body()
        failure = nil
    } catch {
        failure = error
    }
    do {
        let server = store.domain == nil ? store : .rgw
        try await withClient(try await server.configuration()) { client in
            try await BucketCleaner(client: client, bucket: bucket, hasVersions: server != .rclone).run()
        }
    } catch {
        if failure == nil { throw error }
    }
    if let failure { throw failure }
}

/// Deletes a bucket and everything in it.
struct BucketCleaner: Sendable {
    let client: S3Client
    let bucket: String
    let hasVersions: Bool

    func run() async throws {
        do {
            try await empty()
            try await client.deleteBucket(bucket)
        } catch let error as S3Error where error.code == "NoSuchBucket" || error.status == 404 {
            // The test has deleted it.
        }
    }

    private func empty() async throws {
        guard hasVersions else {
            var objects: [ObjectVersion] = []
            for try await object in client.listObjects(in: bucket) { objects.append(ObjectVersion(object.key)) }
            _ = try await client.deleteObjects(in: bucket, objects)
            return
        }
        for upload in try await client.listMultipartUploads(in: bucket) {
            try await client.abortMultipartUpload(S3Object(bucket, upload.key), uploadID: upload.uploadID)
        }
        let versions = try await client.listObjectVersions(in: bucket)
        let objects = versions.map { ObjectVersion($0.key, versionID: $0.versionID) }
        // What is locked goes one by one.
        for outcome in try await client.deleteObjects(in: bucket, objects) where outcome.error != nil {
            try await client.deleteObject(
                S3Object(bucket, outcome.object.key), versionID: outcome.object.versionID, bypassGovernance: true)
        }
    }
}
