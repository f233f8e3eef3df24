internal import BackupCore

/// Runs the definitions that need the rows: indexes over all connections at once, then foreign keys, and everything else
/// where it stands between them.
final class PostgreSQLPostData {
    /// Statements that one worker runs in order.
    private struct Step {
        var statements: [String]
        var shape: PostgreSQLStatementShape
        /// Rows of the table: the longest steps begin first.
        var weight: Int64
        /// The settings that are in force for it.
        var settings: [String: String]
    }

    private let replay: PostgreSQLReplay
    private let workers: PostgreSQLWorkers
    private let rowCounts: [String: Int64]
    private var settings: [String: String] = [:]
    /// Steps of one kind that may run in any order.
    private var steps: [Step] = []

    /// - Parameter replay: runs what must run alone.
    init(_ replay: PostgreSQLReplay, over workers: PostgreSQLWorkers, rowCounts: [String: Int64]) {
        self.replay = replay
        self.workers = workers
        self.rowCounts = rowCounts
    }

    func run(_ script: String) throws(BackupError) {
        for action in try replay.actions(in: script) {
            let shape = PostgreSQLStatementShape(action)
            switch shape {
            case .setting(let name):
                settings[name] = action
                try replay.execute(action)
            case .index(let table, _):
                if case .foreignKey = steps.last?.shape { try flush() }
                add(action, shape, rowCounts[table] ?? 0)
            case .foreignKey(let child, _):
                if case .index = steps.last?.shape { try flush() }
                add(action, shape, rowCounts[child] ?? 0)
            case .companion where !steps.isEmpty: steps[steps.count - 1].statements.append(action)
            case .companion, .other:
                try flush()
                try replay.execute(action)
            }
        }
        try flush()
    }

    private func add(_ action: String, _ shape: PostgreSQLStatementShape, _ weight: Int64) {
        steps.append(Step(statements: [action], shape: shape, weight: weight, settings: settings))
    }

    private func flush() throws(BackupError) {
        let steps = steps.sorted { $0.weight > $1.weight }
        self.steps = []
        for step in steps { try workers.add(task(step)) }
        try workers.finish()
    }

    private func task(_ step: Step) -> PostgreSQLWorkers.Task {
        let replay = replay
        var task = PostgreSQLWorkers.Task { worker throws(BackupError) in
            for (name, statement) in step.settings where worker.settings[name] != statement {
                try replay.execute(statement, on: worker.connection)
                worker.settings[name] = statement
            }
            for statement in step.statements {
                try PostgreSQLPostData.execute(statement, replay, on: worker.connection)
            }
        }
        switch step.shape {
        case .index(let table, isConstraint: true): task.exclusive = [table]
        case .index(let table, isConstraint: false): task.shared = [table]
        case .foreignKey(let child, let parent): task.exclusive = [child, parent]
        case .setting, .companion, .other: break
        }
        return task
    }

    /// Locks of partitions, which no statement names, may close a circle: whoever the server ends begins again.
    private static func execute(
        _ statement: String, _ replay: PostgreSQLReplay, on connection: PostgreSQLConnection
    ) throws(BackupError) {
        for _ in 0..<10 {
            do throws(BackupError) {
                return try replay.execute(statement, on: connection)
            } catch {
                guard error.message.contains("[40P01]") else { throw error }
            }
        }
        try replay.execute(statement, on: connection)
    }
}
