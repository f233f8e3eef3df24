internal import BackupCore
internal import BackupEngine
internal import Hummingbird

/// Which backups a client wants to see, as its query says.
struct BackupListQuery {
    var query = BackupQuery()
    var job: JobReference?
    private let fields: Query

    /// - Throws: `Refusal`, by field.
    init(_ request: Request) throws {
        fields = try Query(request, known: ["job_id", "status", "since", "until", "limit", "cursor"])
        query.limit = try fields.limit() ?? 50
        job = try fields.number("job_id", in: 1...Int.max).map { JobReference("\($0)") }
        query.since = try fields.moment("since")
        query.until = try fields.moment("until")
        query.status = try fields.parsed("status", "must be running, completed or failed") {
            BackupRecord.Status(rawValue: $0)
        }
        query.cursor = try fields.parsed("cursor", "must be the next_cursor of an earlier answer") { BackupCursor($0) }
    }

    /// Where the next page is, for the header `Link`.
    func link(_ next: BackupCursor) -> String { fields.link(next.text) }
}
