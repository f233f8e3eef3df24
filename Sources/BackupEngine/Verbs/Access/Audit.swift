package import BackupCore
internal import Logging

/// What an entry of the audit log says became of an action.
package enum AuditOutcome: String, Sendable {
    /// It is about to begin.
    case begun
    case done
    case failed
    case cancelled
    /// It was not let in.
    case refused
}

extension BackupEngine {
    /// Runs something that changes data or restores it, and writes down who did it: an entry `begun` before anything
    /// happens, and one with the outcome when it has ended.
    ///
    /// - Parameters:
    ///   - action: such as `job.update`.
    ///   - subject: what it is done to, such as `job 3`.
    ///   - detail: of the first entry, one line without secrets.
    ///   - describe: of what came of it: the detail of the last entry.
    /// - Throws: `catalog` where the first entry cannot be written, and nothing was done; else what `body` throws.
    package func audited<Output: Sendable>(
        _ action: String, _ subject: String? = nil, detail: String? = nil,
        describe: @escaping @Sendable (Output) -> String? = { _ in nil },
        _ body: () async throws -> Output
    ) async throws -> Output {
        let actor = AuditActor.current
        do {
            try await CatalogThreads.run {
                try self.writeAudit(action, subject, .begun, detail, by: actor)
            }
        } catch {
            throw BackupEngine.unwritten(action, error)
        }
        do {
            let output = try await body()
            await end(action, subject, .done, describe(output), actor)
            return output
        } catch {
            let isCancelled = (error as? BackupError)?.code == .cancelled || error is CancellationError
            await end(action, subject, isCancelled ? .cancelled : .failed, "\(error)", actor)
            throw error
        }
    }

    /// The same on a verb's own thread.
    func audited<Output>(
        _ action: String, _ subject: String?, detail: String?, by actor: AuditActor, _ body: () throws -> Output
    ) throws -> Output {
        do {
            try writeAudit(action, subject, .begun, detail, by: actor)
        } catch {
            throw BackupEngine.unwritten(action, error)
        }
        let outcome = Result { try body() }
        do {
            switch outcome {
            case .success: try writeAudit(action, subject, .done, nil, by: actor)
            case .failure(let failure): try writeAudit(action, subject, .failed, "\(failure)", by: actor)
            }
        } catch {
            note(error, action, subject)
        }
        return try outcome.get()
    }

    /// Adds an entry to the audit log.
    package func recordAudit(
        _ action: String, _ subject: String? = nil, _ outcome: AuditOutcome, _ detail: String?
    ) async throws {
        let actor = AuditActor.current
        try await CatalogThreads.run { try self.writeAudit(action, subject, outcome, detail, by: actor) }
    }

    /// What was done, the newest first.
    ///
    /// - Parameter id: only what was written down before the entry of this number.
    package func auditEntries(before id: Int64? = nil, limit: Int = 50) async throws -> [AuditEntry] {
        try await CatalogThreads.run { try self.catalog.auditEntries(before: id, limit: limit) }
    }

    private func end(
        _ action: String, _ subject: String?, _ outcome: AuditOutcome, _ detail: String?, _ actor: AuditActor
    ) async {
        do {
            try await CatalogThreads.run { try self.writeAudit(action, subject, outcome, detail, by: actor) }
        } catch {
            note(error, action, subject)
        }
    }

    /// What is done cannot be undone for want of its entry; the entry `begun` tells of it.
    private func note(_ error: any Error, _ action: String, _ subject: String?) {
        logger.error(
            "the audit log does not tell how an action ended",
            metadata: ["action": "\(action)", "subject": "\(subject ?? "")", "error": "\(error)"])
    }

    private static func unwritten(_ action: String, _ error: any Error) -> BackupError {
        BackupError(
            (error as? BackupError)?.code ?? .catalog,
            "the audit log cannot be written, so nothing was done (\(action)): \(error)")
    }

    private func writeAudit(
        _ action: String, _ subject: String?, _ outcome: AuditOutcome, _ detail: String?, by actor: AuditActor
    ) throws {
        try catalog.recordAudit(
            AuditEntry(
                at: Timestamp.now(), actor: actor.name, role: actor.role?.rawValue, action: action, subject: subject,
                outcome: outcome.rawValue, detail: detail.map(BackupEngine.line), requestID: actor.requestID,
                address: actor.address))
    }

    /// One line of bounded length: what callers send must not make lines of its own.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(1_000).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }
}

extension BackupJobChange {
    /// The names of the fields that are changed, without what they are changed to.
    var fieldNames: String {
        func isSet(_ value: Any) -> Bool {
            let mirror = Mirror(reflecting: value)
            if mirror.displayStyle == .optional { return !mirror.children.isEmpty }
            return mirror.children.contains { isSet($0.value) }
        }
        return Mirror(reflecting: self).children.filter { isSet($0.value) }.compactMap(\.label).sorted()
            .joined(separator: ", ")
    }
}
