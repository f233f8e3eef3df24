internal import BackupCore
internal import BackupEngine
internal import Logging

/// Decides what the people of Elder may do: those that are named are admins, and, where that is switched on, those that
/// Elder's database calls admins. Nobody else is anybody.
actor ElderRoles {
    private let engine: BackupEngine
    private let admins: Set<String>
    private let looksUp: Bool
    private let logger: Logger

    private enum Answer {
        case standing(ElderStanding)
        /// The database could not be asked.
        case unknown
    }

    private var known = BoundedTable<ElderSubject, (answer: Answer, until: ContinuousClock.Instant)>(capacity: 1_000)
    private var asking: [ElderSubject: Task<Answer, Never>] = [:]

    /// How long what the database says counts; where it does not answer it is left alone for a moment.
    private static let memory = Duration.seconds(30)
    private static let pause = Duration.seconds(2)
    /// Look-ups at the same time: each holds a thread and a connection.
    private static let mostQuestions = 8

    /// - Parameter admins: subjects, each `7`, `access:7` or `portal_user:7`.
    init(engine: BackupEngine, admins: Set<String>, looksUp: Bool, logger: Logger) {
        self.engine = engine
        self.admins = admins
        self.looksUp = looksUp
        self.logger = logger
    }

    /// - Throws: `Refusal`: 403 for who is no admin, 503 where that cannot be found out.
    func caller(_ subject: ElderSubject) async throws -> Caller {
        let name = subject.kind == .access ? "elder:\(subject.id)" : "elder:\(subject.kind.rawValue):\(subject.id)"
        let caller = Caller(name: name, role: .admin)
        if admins.contains("\(subject.id)") || admins.contains("\(subject.kind.rawValue):\(subject.id)") {
            return caller
        }
        guard looksUp else {
            throw Refusal.forbidden("the subject \(subject.id) may not do this: it is not among ELDER_ADMIN_SUBJECTS")
        }
        switch try await answer(subject) {
        case .standing(.admin): return caller
        case .standing(.other):
            throw Refusal.forbidden("the subject \(subject.id) may not do this: it is no admin of Elder")
        case .standing(.nobody):
            throw Refusal.forbidden("the subject \(subject.id) may not do this: Elder has no such active user")
        case .unknown: throw Refusal.unavailable("Elder's database cannot be asked who may do this; try again later")
        }
    }

    private func answer(_ subject: ElderSubject) async throws -> Answer {
        if let entry = known[key: subject], entry.until > .now { return entry.answer }
        if let task = asking[subject] { return await task.value }
        guard asking.count < ElderRoles.mostQuestions else {
            throw Refusal.unavailable("too many people are being looked up at the same time; try again later")
        }
        let (engine, logger) = (engine, logger)
        let task = Task<Answer, Never> {
            do {
                return .standing(try await engine.elderStanding(of: subject))
            } catch {
                logger.error("a user of Elder could not be looked up", metadata: ["error": "\(error)"])
                return .unknown
            }
        }
        asking[subject] = task
        let answer = await task.value
        asking[subject] = nil
        let span = if case .unknown = answer { ElderRoles.pause } else { ElderRoles.memory }
        known[key: subject] = nil
        known[key: subject] = (answer, .now + span)
        return answer
    }
}
