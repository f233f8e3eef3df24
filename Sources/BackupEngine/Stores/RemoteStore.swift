internal import BackupCore
internal import Foundation
internal import Logging
internal import S3Client
internal import Synchronization

/// One store that holds copies of backups: an S3 client, and how backups lie there.
///
/// All calls throw ``BackupError``: `s3` where the store refuses or cannot be reached, `notFound`, `damaged`, `storage`.
final class RemoteStore: Sendable {
    /// What a store knows an object by: labels in its metadata, not proof of anything.
    enum Label {
        static let installation = "installation"
        static let job = "job"
        static let sha256 = "sha256"
    }

    static let manifestSuffix = ".manifest.json"

    let settings: StoreSettings
    let client: S3Client
    let transfers: S3Transfers
    let endpoint: S3Endpoint
    private let customerKey: CustomerKey?
    /// Bytes of objects that were asked for and have come.
    let received = Atomic<Int64>(0)

    private let wasUnreachable = Atomic<Bool>(false)
    /// A request found no way to the store, or no entry: further ones would only wait in vain.
    var isUnreachable: Bool { wasUnreachable.load(ordering: .relaxed) }

    var name: String { settings.name }

    /// - Throws: `configuration`.
    init(_ settings: StoreSettings, environment: [String: String], logger: Logger) throws {
        self.settings = settings
        do {
            endpoint = try settings.s3Endpoint()
            let profile = settings.profile(of: endpoint)
            var configuration = S3Configuration(
                endpoint: endpoint, region: settings.region, profile: profile,
                credentials: try RemoteStore.credentials(settings, environment))
            configuration.certificateAuthorityFile = settings.authorityFile
            configuration.proxies = try ProxySettings.fromEnvironment(environment)
            configuration.userAgent = "elder-backup/\(ProgramVersion.current)"
            configuration.logger = logger
            var options = TransferOptions()
            options.concurrency = settings.concurrency
            if let concurrency = settings.concurrency { options.maximumConcurrency = concurrency }
            if let memory = settings.memory { options.memory = Int64(memory) }
            configuration.connections = max(options.maximumConcurrency, 4)
            customerKey = try settings.customerKey.map {
                try CustomerKey([UInt8](Data(base64Encoded: $0.revealed) ?? Data()))
            }
            client = try S3Client(configuration)
            transfers = S3Transfers(client, options: options)
        } catch let error as S3Error {
            throw BackupError(.configuration, "\(settings.variablePrefix)…: \(error.message)")
        }
    }

    private static func credentials(
        _ settings: StoreSettings, _ environment: [String: String]
    ) throws -> any CredentialsProvider {
        if let keys = settings.keys {
            return StaticCredentials(
                Credentials(
                    accessKeyID: keys.accessKey, secretAccessKey: keys.secretKey.revealed,
                    sessionToken: keys.sessionToken?.revealed, source: settings.variablePrefix + "ACCESS_KEY"))
        }
        return CredentialsChain(environment: environment)
    }

    /// To be called once, when nothing runs any more.
    func shutdown() async { await client.shutdown() }

    // MARK: Places

    /// As `https://host:port`, by which the catalog knows the store.
    var place: String { endpoint.description }

    func key(of filename: String) -> String { settings.prefix + filename }

    /// As Elder writes it down: `ENDPOINT/BUCKET/KEY`, or `https://BUCKET.s3.REGION.amazonaws.com/KEY`.
    func url(of key: String) -> String {
        guard endpoint.isAmazon else { return "\(endpoint)/\(settings.bucket)/\(key)" }
        let region = client.signingRegion(for: settings.bucket)
        let suffix = region.hasPrefix("cn-") ? ".cn" : ""
        return "https://\(settings.bucket).s3.\(region).amazonaws.com\(suffix)/\(key)"
    }

    /// - Throws: `s3` where the bucket is not there, or may not be looked at.
    func reach() async throws {
        _ = try await perform("reach the bucket \(settings.bucket)", nil) {
            try await client.headBucket(settings.bucket)
        }
    }

    func objectOfKey(_ key: String) -> S3Object { S3Object(settings.bucket, key) }

    func object(_ copy: RemoteCopy) -> S3Object {
        S3Object(copy.bucket.isEmpty ? settings.bucket : copy.bucket, copy.key)
    }

    func manifest(_ copy: RemoteCopy) -> S3Object {
        let archive = object(copy)
        return S3Object(archive.bucket, archive.key + RemoteStore.manifestSuffix)
    }

    // MARK: Options

    var encryption: ServerSideEncryption? {
        switch settings.encryption {
        case .none: nil
        case .provider: .s3
        case .kms(let keyID): .kms(keyID: keyID)
        case .customerKey: customerKey.map { .customerKey($0) }
        }
    }

    /// For an object that this store holds now: written with the settings as they are.
    func readOptions(versionID: String? = nil) -> ReadOptions {
        ReadOptions(versionID: versionID, customerKey: settings.encryption == .customerKey ? customerKey : nil)
    }

    /// For a copy as it was written, whatever the settings are by now.
    func readOptions(_ copy: RemoteCopy, versionID: String?) -> ReadOptions {
        let isCustomers = copy.encryption == StoreSettings.Encryption.customerKey.name
        return ReadOptions(versionID: versionID, customerKey: isCustomers ? customerKey : nil)
    }

    /// Runs an operation and puts its failure into the words of this program.
    func perform<Result>(
        _ action: String, _ object: S3Object?, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as S3Error {
            if RemoteFault.closesStore(error) { wasUnreachable.store(true, ordering: .relaxed) }
            throw RemoteFault.error(error, action, object, settings)
        } catch is CancellationError {
            throw BackupError(.cancelled, "cancelled")
        }
    }
}

/// What a store says of an object.
struct RemoteObject: Sendable, Equatable {
    var size: Int64
    var etag: String
    var versionID: String?
    var installation: String?
    var job: String?
    var sha256: String?
    var uploadToken: String?
    var storageClass: String?
    var encryption: String?
    var lockedUntil: Timestamp?
    var isArchived: Bool

    init(_ head: ObjectHead) {
        size = head.size
        etag = head.etag
        versionID = head.versionID
        installation = head.metadata[RemoteStore.Label.installation]
        job = head.metadata[RemoteStore.Label.job]
        sha256 = head.metadata[RemoteStore.Label.sha256]
        uploadToken = head.metadata[S3Client.uploadToken]
        storageClass = head.storageClass
        encryption = head.encryption
        lockedUntil = head.retention.map { Timestamp(microseconds: $0.until * 1_000_000) }
        isArchived = head.isArchived
    }
}

extension RemoteStore {
    /// What is under a key; nil where nothing is.
    ///
    /// - Throws: `s3` also where the key may not be looked at.
    func look(at object: S3Object, _ options: ReadOptions) async throws -> RemoteObject? {
        try await perform("look at", object) {
            do {
                return RemoteObject(try await client.headObject(object, options: options))
            } catch let error as S3Error where RemoteFault.isMissing(error) {
                return nil
            }
        }
    }

    /// What is under a copy's key.
    func look(at copy: RemoteCopy) async throws -> RemoteObject? {
        try await look(at: object(copy), readOptions(copy, versionID: copy.versionID))
    }
}
