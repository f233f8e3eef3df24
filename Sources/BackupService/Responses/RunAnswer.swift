internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird

/// How a request for a run is answered: with what came of it, or at once where the client prefers that.
struct RunAnswer {
    let engine: BackupEngine
    let runs: RunSupervisor

    func answer<Output: Encodable & Sendable>(
        _ request: Request, _ wish: Run.Request,
        _ body: @escaping @Sendable (BackupEngine) async throws -> Output
    ) async throws -> Response {
        // What is not there, or goes on already, is told now and not when it would have its turn.
        if let id = wish.backupID { _ = try await engine.record(id) }
        if wish.kind == .backup, let id = wish.jobID, await runs.isActive(job: id) {
            throw BackupError(.locked, "a backup of job \(id) goes on, or waits for its turn, already")
        }
        guard Preference.respondsAsync(request) else {
            return try Answer.json(try await runs.run(wish, body), status: .accepted)
        }
        let (run, work) = try await runs.submit(wish, body)
        var description = run.log.description
        // The record of a backup that begins now is there in a moment, and so is a refusal.
        if wish.kind == .backup, await runs.hasTurn(run.id) {
            description = await run.log.wait { $0.isOver || $0.backupID != nil }
            if description.backupID == nil, description.isOver { _ = try await work.value }
        }
        return try accepted(description)
    }

    private func accepted(_ description: RunDescription) throws -> Response {
        var response = try Answer.json(description, status: .accepted)
        let backup = description.kind == .backup ? description.backupID : nil
        response.headers[.location] = backup.map { "\(BackupRoutes.base)/\($0)" } ?? RunRoutes.path(description.id)
        response.headers[.retryAfter] = "2"
        if let name = HTTPField.Name("Preference-Applied") { response.headers[name] = "respond-async" }
        return response
    }
}
