import BackupCatalog
import BackupCore
import Foundation
import GRDB
import Testing

private let noon = Timestamp(microseconds: 1_761_739_200_123_456)
private let plain = "pl4in/SECRET+of the store"
private let address = "postgresql://app:hunter2@db.example.com/app?sslmode=require"

/// What every ``CatalogStore`` must do with a job's store and its secrets.
@Suite struct SecretContract {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func change(_ edit: (inout BackupJobChange) -> Void) -> BackupJobChange {
        var change = BackupJobChange()
        edit(&change)
        return change
    }

    private func makeJob(_ catalog: any CatalogStore, _ name: String = "nightly", secret: String = plain) throws
        -> BackupJob
    {
        try catalog.createJob(
            change {
                $0.name = name
                $0.source = address
                $0.store.choice = .on
                $0.store.endpoint = "https://minio:9000"
                $0.store.bucket = "vault"
                $0.store.region = "eu-central-1"
                $0.store.accessKey = "AKIA"
                $0.store.prefix = "x/"
                $0.store.secretKey = Secret(secret)
            }, defaultRetentionDays: 9, at: noon)
    }

    @Test(arguments: CatalogImplementation.allCases)
    func keepsAStoreAndItsSecrets(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try makeJob(catalog)
        #expect(
            job.store.isEnabled == true && job.store.endpoint == "https://minio:9000" && job.store.bucket == "vault")
        #expect(job.store.region == "eu-central-1" && job.store.accessKey == "AKIA" && job.store.prefix == "x/")
        #expect(job.store.hasSecretKey && job.hasSourceSecret)
        #expect(job.source == "postgresql://app:********@db.example.com/app?********")
        #expect(try catalog.jobs(enabled: nil) == [job])
        let secrets = try catalog.secrets(ofJob: job.id)
        #expect(secrets.storeKey?.revealed == plain && secrets.source?.revealed == address)
        let text = String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
        #expect(text.contains("\"s3_secret_key\":\"********\"") && text.contains("\"s3_access_key\":\"AKIA\""))
        #expect(!text.contains(plain) && !text.contains("hunter2") && !text.contains("v1:"))
        #expect(throws: BackupError.self) { try catalog.secrets(ofJob: 99) }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let bytes = try Data(contentsOf: URL(filePath: directory.file(name)))
            #expect(bytes.range(of: Data(plain.utf8)) == nil && bytes.range(of: Data("hunter2".utf8)) == nil)
        }
    }

    @Test(arguments: CatalogImplementation.allCases)
    func changesOnlyWhatIsGiven(_ implementation: CatalogImplementation) throws {
        let catalog = try implementation.make(in: directory)
        let job = try makeJob(catalog)
        func update(_ edit: (inout BackupJobChange) -> Void) throws -> BackupJob {
            try catalog.updateJob(id: job.id, change(edit), at: noon)
        }
        // What a client was shown and sends back changes nothing.
        let same = try update {
            $0.source = job.source
            $0.store.secretKey = Secret(JobStore.mask)
            $0.store.endpoint = job.store.endpoint
        }
        #expect(same == job)
        #expect(try catalog.secrets(ofJob: job.id).storeKey?.revealed == plain)
        #expect(try catalog.secrets(ofJob: job.id).source?.revealed == address)
        #expect(try update { $0.store.choice = .off }.store.isEnabled == false)
        #expect(try update { $0.description = "x" }.store.isEnabled == false)
        #expect(try update { $0.store.choice = .configured }.store.isEnabled == nil)
        #expect(try update { $0.store.bucket = "" }.store.bucket == nil)
        #expect(try update { $0.store.secretKey = Secret("other") }.store.hasSecretKey)
        #expect(try catalog.secrets(ofJob: job.id).storeKey?.revealed == "other")
        #expect(try !update { $0.store.secretKey = Secret("") }.store.hasSecretKey)
        #expect(try catalog.secrets(ofJob: job.id).storeKey == nil)
        // The mask within another address would keep half of what there was.
        #expect(throws: BackupError.self) {
            try update { $0.source = "postgresql://app:********@evil.example.com/app" }
        }
        let bare = try update { $0.source = "postgresql://app@db.example.com/app" }
        #expect(!bare.hasSourceSecret && bare.source == "postgresql://app@db.example.com/app")
        #expect(try catalog.secrets(ofJob: job.id) == JobSecrets())
    }

    @Test("A value that is moved or altered cannot be read, and the error names the job")
    func isBoundToItsPlace() throws {
        let path = directory.file("catalog.sqlite")
        let catalog = try SQLiteCatalog.open(path: path, migrate: false)
        let first = try makeJob(catalog, "first")
        let second = try makeJob(catalog, "second", secret: "PLANTEDtwo")
        let queue = try DatabaseQueue(path: path)
        func damage(_ sql: String) throws { try queue.write { try $0.execute(sql: sql) } }
        func text() throws -> String? {
            try queue.read { try String.fetchOne($0, sql: "SELECT s3_secret_key FROM backup_jobs WHERE id = 1") }
        }
        let kept = try #require(try text())
        #expect(kept.wholeMatch(of: /v1:[0-9a-f]{16}:[A-Za-z0-9+\/]+=*/) != nil)
        // The same text twice is not the same value.
        _ = try catalog.updateJob(id: 1, change { $0.store.secretKey = Secret(plain) }, at: noon)
        #expect(try text() != kept)
        for sql in [
            "UPDATE backup_jobs SET s3_secret_key = (SELECT s3_secret_key FROM backup_jobs WHERE id = 2) WHERE id = 1",
            "UPDATE backup_jobs SET s3_secret_key = source_secret WHERE id = 1",
            "UPDATE backup_jobs SET s3_secret_key = substr('\(kept)', 1, 30) || 'AAAA' || substr('\(kept)', 35) WHERE id = 1",
        ] {
            try damage(sql)
            let error = #expect(throws: BackupError.self) { try catalog.secrets(ofJob: first.id) }
            #expect(error?.code == .damaged && error?.message.contains("job 1 \"first\"") == true, "\(sql)")
            #expect(error?.message.contains("PLANTED") == false && error?.message.contains(plain) == false)
        }
        #expect(try catalog.secrets(ofJob: second.id).storeKey?.revealed == "PLANTEDtwo")
        try damage("UPDATE backup_jobs SET s3_secret_key = '\(kept)' WHERE id = 1")
        #expect(try catalog.secrets(ofJob: first.id).storeKey?.revealed == plain)
        // A row that got another identity is another row.
        try damage("UPDATE backup_jobs SET uuid = 'x' WHERE id = 1")
        #expect(throws: BackupError.self) { try catalog.secrets(ofJob: first.id) }
    }

    @Test("Another key is an error that names the job, and the other jobs go on")
    func anotherKey() throws {
        let path = directory.file("catalog.sqlite")
        let file = directory.file("key")
        let one = try #require(SecretKey(bytes: [UInt8](repeating: 1, count: 32)))
        let two = try #require(SecretKey(bytes: [UInt8](repeating: 2, count: 32)))
        func open(_ key: SecretKey?, old: SecretKey? = nil) throws -> SQLiteCatalog {
            try SQLiteCatalog.open(
                path: path, migrate: false, keyring: SecretKeyring(path: file, configured: key, old: old))
        }
        let first = try makeJob(try open(one), "first")
        let second = try makeJob(try open(two), "second")
        let error = #expect(throws: BackupError.self) { try open(two).secrets(ofJob: first.id) }
        #expect(error?.code == .configuration && error?.message.contains("job 1 \"first\"") == true)
        #expect(error?.message.contains("BACKUP_SECRET_KEY_OLD") == true)
        #expect(try open(two).secrets(ofJob: second.id).storeKey?.revealed == plain)
        #expect(try open(two, old: one).secrets(ofJob: first.id).storeKey?.revealed == plain)
        #expect(throws: BackupError.self) { try open(nil).secrets(ofJob: first.id) }
        // A change of keys that could not read everything changes nothing.
        let refused = #expect(throws: BackupError.self) { try open(two).rotateKey() }
        #expect(refused?.message.contains("first") == true)
        #expect(try open(one).secrets(ofJob: first.id).storeKey?.revealed == plain)
        let counts = try open(two, old: one).rotateKey()
        #expect(counts.values == 4 && counts.jobs == 2)
        #expect(try open(two).secrets(ofJob: first.id).source?.revealed == address)
        #expect(throws: BackupError.self) { try open(one).secrets(ofJob: first.id) }
        #expect(!FileManager.default.fileExists(atPath: file))
    }
}
