internal import BackupCore

/// A run as clients see it.
struct RunDescription: Sendable, Encodable {
    enum Kind: String, Sendable, Encodable {
        case backup, verify, restore, upload, delete, export, `import`
        case uploadMissing = "upload_missing"

        /// Whom it takes to begin one, and so to end it.
        var role: AccessRole {
            switch self {
            case .restore, .delete, .import: .admin
            case .backup, .verify, .upload, .uploadMissing, .export: .operator
            }
        }
    }

    enum State: String, Sendable, Encodable {
        case queued, running, completed, failed
    }

    struct Progress: Sendable, Encodable, Equatable {
        var step: String?
        var table: String?
        var rows: Int64 = 0
        /// Of row text.
        var bytes: Int64 = 0
        var expectedRows: Int64?
        var transfer: Transfer?

        private enum CodingKeys: String, CodingKey {
            case step, table, rows, bytes, transfer
            case expectedRows = "expected_rows"
        }
    }

    struct Transfer: Sendable, Encodable, Equatable {
        var direction: String
        var store: String
        var filename: String
        var bytes: Int64
        var total: Int64
    }

    struct Failure: Sendable, Encodable {
        var error: String
        var code: String
    }

    var id: String
    var kind: Kind
    var state = State.queued
    /// Who asked for it; the scheduler is `schedule`.
    var requestedBy: String
    var jobID: Int64?
    /// For a backup: once its record is there.
    var backupID: Int64?
    var createdAt = Timestamp.now()
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var progress = Progress()
    var warnings: [String] = []
    /// What the request would have been answered with; nil before the end, and where it is too long to be kept.
    var result: (any Encodable & Sendable)?
    var error: Failure?

    var isOver: Bool { state == .completed || state == .failed }

    private enum CodingKeys: String, CodingKey {
        case id, kind, state, progress, warnings, result, error
        case requestedBy = "requested_by"
        case jobID = "job_id"
        case backupID = "backup_id"
        case createdAt = "created_at"
        case startedAt = "started_at"
        case endedAt = "ended_at"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(kind, forKey: .kind)
        try values.encode(state, forKey: .state)
        try values.encode(requestedBy, forKey: .requestedBy)
        try values.encode(jobID, forKey: .jobID)
        try values.encode(backupID, forKey: .backupID)
        try values.encode(createdAt, forKey: .createdAt)
        try values.encode(startedAt, forKey: .startedAt)
        try values.encode(endedAt, forKey: .endedAt)
        try values.encode(progress, forKey: .progress)
        try values.encode(warnings, forKey: .warnings)
        if let result {
            try result.encode(to: values.superEncoder(forKey: .result))
        } else {
            try values.encodeNil(forKey: .result)
        }
        try values.encode(error, forKey: .error)
    }
}
