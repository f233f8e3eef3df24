import BackupCore
import Foundation
import Testing

/// Plans of retention as texts that are kept.
enum RetentionGolden {
    /// Compares a plan with the text of a file of `Golden/Retention`.
    static func expect(_ plan: [RetentionPlan.Decision], _ name: String) throws {
        let text = describe(plan)
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/Retention/" + name)
        // Written anew on demand; whoever does reads the difference.
        if ProcessInfo.processInfo.environment["ELDER_BACKUP_WRITE_GOLDEN"] != nil {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    /// A line for each backup that stays, and for each row of neighbours that share their fate.
    private static func describe(_ plan: [RetentionPlan.Decision]) -> String {
        var lines: [String] = []
        var run: (first: RetentionPlan.Decision, last: RetentionPlan.Decision, kind: String)?
        func end() {
            guard let ended = run else { return }
            let ids =
                ended.first.record.id == ended.last.record.id
                ? "\(ended.first.record.id)" : "\(ended.first.record.id)-\(ended.last.record.id)"
            let times = [ended.first, ended.last].map { $0.record.startedAt.sql.prefix(16) }
            let span = times[0] == times[1] ? "\(times[0])" : "\(times[0]) to \(times[1])"
            lines.append("\(ended.first.keep ? "keep" : "delete") \(ids) of \(span): \(ended.kind)")
        }
        for decision in plan {
            // Each of the deleted has an age of its own.
            let kind =
                decision.keep
                ? decision.reason
                : decision.reason.replacing(/^((?:[^:]+: )?(?:failed run, )?)\d+ days/) { match in
                    "\(match.output.1)N days"
                }
            if let current = run, current.kind == kind, current.first.keep == decision.keep {
                run = (current.first, decision, kind)
            } else {
                end()
                run = (decision, decision, kind)
            }
        }
        end()
        return lines.joined(separator: "\n") + "\n"
    }
}
