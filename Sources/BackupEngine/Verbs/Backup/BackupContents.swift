internal import BackupArchive
internal import BackupCore
internal import DatabaseSource

extension BackupEngine {
    /// What a run is to hold; nil where that cannot be known.
    func content(of request: BackupRequest, _ job: BackupJob, _ source: DatabaseURL) -> BackupContent? {
        guard job.fault == nil, let place = Databases.place(source) else { return nil }
        return BackupContent(
            place: place, include: request.includeTables ?? job.includeTables,
            exclude: request.excludeTables ?? job.excludeTables)
    }

    /// What the job's own runs hold as it is now; nil where that cannot be known.
    func ownContent(of job: BackupJob) -> BackupContent? {
        let request = BackupRequest()
        return (try? source(of: request, job)).flatMap { content(of: request, job, $0) }
    }

    /// The newest completed backups of the job that hold what a record does, the newest first. Where there are none and
    /// the record is of the job's own database and tables, those of which it is not known what they hold.
    func predecessors(of record: BackupRecord, isOwn: Bool, limit: Int) throws -> [BackupRecord] {
        func others(_ content: BackupContent?) throws -> [BackupRecord] {
            let found = try catalog.completed(jobID: record.jobID, holding: content, limit: limit + 1)
            return Array(found.filter { $0.id != record.id }.prefix(limit))
        }
        let same = try others(record.content)
        return same.isEmpty && isOwn && record.content != nil ? try others(nil) : same
    }
}

extension BackupContent {
    /// - Parameter place: where the database lies, see ``Databases/place(_:)``.
    fileprivate init(place: String, include: [String]?, exclude: [String]?) {
        let include = include.map { Set($0).sorted() }
        let exclude = Set(exclude ?? []).sorted()
        let isWhole = include == nil && exclude.isEmpty
        var lists: [UInt8] = []
        for (sign, names) in [("+", include ?? []), ("-", exclude)] {
            // No name holds a zero byte.
            for name in names { lists += Array((sign + name + "\0").utf8) }
        }
        self.init(
            identity: BackupContent.digest(Array(place.utf8)),
            scope: isWhole ? BackupContent.whole : BackupContent.digest(lists))
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        var digest = FileDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return String(digest.hexadecimal.prefix(32))
    }
}

extension ArchiveHeader {
    /// What the archive holds, as its writer said; nil where it did not.
    var content: BackupContent? {
        guard let source, let description = try? JSONValue.decode(SourceDescription.self, source),
            let identity = description.identity, let scope = description.scope
        else { return nil }
        return BackupContent(identity: identity, scope: scope)
    }
}
