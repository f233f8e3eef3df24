/// Who does something, as the audit log names them. Goes with the task: a verb need not be told.
package struct AuditActor: Sendable, Equatable {
    /// `token:NAME`, `elder:SUBJECT`, `cli:USER`, `scheduler`.
    package var name: String
    /// Nil where roles do not apply.
    package var role: AccessRole?
    /// Nil but for requests of the API.
    package var requestID: String?
    package var address: String?

    package init(name: String, role: AccessRole? = nil, requestID: String? = nil, address: String? = nil) {
        self.name = name
        self.role = role
        self.requestID = requestID
        self.address = address
    }

    /// Of the task that asks. Threads do not have it: a verb takes it along.
    @TaskLocal package static var current = AuditActor(name: "internal")
}
