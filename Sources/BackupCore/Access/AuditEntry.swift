/// One thing that someone did or was refused: a row of `audit_log`. Holds no secret.
package struct AuditEntry: Sendable, Encodable, Equatable {
    /// In the order of writing; 0 before it is written.
    package var id: Int64
    package var at: Timestamp
    /// Whose token it was, or the user of a command.
    package var actor: String
    /// The role that the actor had; nil where none is known.
    package var role: String?
    /// What was asked for, such as `job.update`.
    package var action: String
    /// What it was done to, such as `job 3`; nil where there is no such thing.
    package var subject: String?
    /// What became of it, such as `done` or `refused`.
    package var outcome: String
    /// What else there is to say, one line.
    package var detail: String?
    /// The request's, as the answer and the log name it.
    package var requestID: String?
    /// Where the request came from.
    package var address: String?

    private enum CodingKeys: String, CodingKey {
        case id, at, actor, role, action, subject, outcome, detail, address
        case requestID = "request_id"
    }

    package init(
        id: Int64 = 0, at: Timestamp, actor: String, role: String? = nil, action: String, subject: String? = nil,
        outcome: String, detail: String? = nil, requestID: String? = nil, address: String? = nil
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.role = role
        self.action = action
        self.subject = subject
        self.outcome = outcome
        self.detail = detail
        self.requestID = requestID
        self.address = address
    }
}
