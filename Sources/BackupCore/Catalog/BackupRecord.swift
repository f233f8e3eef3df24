/// One run of a job and the archive it made: a row of `backups`.
package struct BackupRecord: Sendable, Codable, Equatable {
    package enum Status: String, Sendable, Codable, CaseIterable {
        case running, completed, failed
    }

    /// Where a copy of the archive stands.
    package enum CopyState: String, Sendable, Codable, CaseIterable {
        /// There is no such copy, and none is meant to be.
        case none
        case present
        /// It should be there and was not found.
        case missing
        /// It is there and is not what was written.
        case damaged
    }

    package var id: Int64
    package var jobID: Int64
    package var filename: String
    /// The absolute path of the local copy.
    package var filePath: String
    /// In bytes.
    package var fileSize: Int64
    package var recordCount: Int64
    package var status: Status
    package var errorMessage: String?
    package var startedAt: Timestamp
    package var completedAt: Timestamp?
    package var durationSeconds: Double?
    /// Of the copy on the primary store, where that is present. Written with the copy, not with this record.
    package var s3URL: String?
    package var s3Key: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Of the archive file, in lower-case hexadecimal digits.
    package var sha256: String?
    /// When the archive was last read from end to end and found good.
    package var verifiedAt: Timestamp?
    package var localState: CopyState
    /// The process that runs or ran it.
    package var process: ProcessIdentity?
    /// What it holds, or was to hold; nil where that is not known: of backups that Elder or an earlier version made.
    package var content: BackupContent?
    /// What is known of its copies in stores. Written with the copies, not with this record.
    package var remote = RemoteSummary()

    private enum CodingKeys: String, CodingKey {
        case id, filename, status, sha256, process, content
        case jobID = "job_id"
        case filePath = "file_path"
        case fileSize = "file_size"
        case recordCount = "record_count"
        case errorMessage = "error_message"
        case startedAt = "started_at"
        case completedAt = "completed_at"
        case durationSeconds = "duration_seconds"
        case s3URL = "s3_url"
        case s3Key = "s3_key"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case verifiedAt = "verified_at"
        case localState = "local_state"
        case remote
    }

    package init(
        id: Int64, jobID: Int64, filename: String, filePath: String, fileSize: Int64 = 0, recordCount: Int64 = 0,
        status: Status, errorMessage: String? = nil, startedAt: Timestamp, completedAt: Timestamp? = nil,
        durationSeconds: Double? = nil, s3URL: String? = nil, s3Key: String? = nil, createdAt: Timestamp,
        updatedAt: Timestamp, sha256: String? = nil, verifiedAt: Timestamp? = nil, localState: CopyState,
        process: ProcessIdentity? = nil
    ) {
        self.id = id
        self.jobID = jobID
        self.filename = filename
        self.filePath = filePath
        self.fileSize = fileSize
        self.recordCount = recordCount
        self.status = status
        self.errorMessage = errorMessage
        self.startedAt = startedAt
        self.completedAt = completedAt
        self.durationSeconds = durationSeconds
        self.s3URL = s3URL
        self.s3Key = s3Key
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.sha256 = sha256
        self.verifiedAt = verifiedAt
        self.localState = localState
        self.process = process
    }
}

extension BackupRecord {
    /// Every field, as Elder's clients expect it: what is missing as null.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(jobID, forKey: .jobID)
        try values.encode(filename, forKey: .filename)
        try values.encode(filePath, forKey: .filePath)
        try values.encode(fileSize, forKey: .fileSize)
        try values.encode(recordCount, forKey: .recordCount)
        try values.encode(status, forKey: .status)
        try values.encode(errorMessage, forKey: .errorMessage)
        try values.encode(startedAt, forKey: .startedAt)
        try values.encode(completedAt, forKey: .completedAt)
        try values.encode(durationSeconds, forKey: .durationSeconds)
        try values.encode(s3URL, forKey: .s3URL)
        try values.encode(s3Key, forKey: .s3Key)
        try values.encode(createdAt, forKey: .createdAt)
        try values.encode(updatedAt, forKey: .updatedAt)
        try values.encode(sha256, forKey: .sha256)
        try values.encode(verifiedAt, forKey: .verifiedAt)
        try values.encode(localState, forKey: .localState)
        try values.encode(process, forKey: .process)
        try values.encode(content, forKey: .content)
        try values.encode(remote, forKey: .remote)
    }
}

extension BackupRecord {
    /// A backup's copies in stores, in short.
    package struct RemoteSummary: Sendable, Codable, Equatable {
        /// Of the copy on the primary store; nil where there is none and none was tried.
        package var s3State: RemoteCopy.State?
        /// Why that copy is not there.
        package var s3Error: String?
        /// Copies that are there, in whatever store.
        package var presentCopies = 0
        /// Until then some copy cannot be deleted.
        package var lockedUntil: Timestamp?
        /// The deletion of some copy was begun.
        package var isBeingDeleted = false

        private enum CodingKeys: String, CodingKey {
            case s3State = "s3_state"
            case s3Error = "s3_error"
            case presentCopies = "present_copies"
            case lockedUntil = "locked_until"
            case isBeingDeleted = "being_deleted"
        }

        package init() {}
    }

    /// Whether the backup can be read from somewhere, as far as is known.
    package var isReadable: Bool { localState == .present || s3Key != nil || remote.presentCopies > 0 }
}

/// A process of a host, told from a later one that has the same number by the time it started.
package struct ProcessIdentity: Sendable, Codable, Hashable {
    package var host: String
    package var pid: Int32
    /// Clock ticks after boot, field 22 of `/proc/PID/stat` (proc(5)), with the boot's id in front.
    package var start: String

    package init(host: String, pid: Int32, start: String) {
        self.host = host
        self.pid = pid
        self.start = start
    }
}
