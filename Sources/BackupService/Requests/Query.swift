internal import BackupCore
internal import Hummingbird

/// The parameters behind a path's question mark, read strictly.
struct Query {
    private let request: Request

    /// - Throws: `Refusal` for a parameter that is not known, or given twice.
    init(_ request: Request, known: Set<String>) throws {
        self.request = request
        var seen: Set<Substring> = []
        for (name, _) in request.uri.queryParameters {
            let text = String(name.prefix(60))
            guard known.contains(text) else {
                throw Refusal.invalid(
                    "the parameter \(text) is not known", fields: [text: "is not known; allowed are \(known.sorted())"])
            }
            guard seen.insert(name).inserted else {
                throw Refusal.invalid("the parameter \(text) is given twice", fields: [text: "is given twice"])
            }
        }
    }

    func text(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }

    func flag(_ name: String) throws -> Bool? {
        guard let text = text(name) else { return nil }
        switch text.lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default: throw Refusal.invalid("\(name) must be true or false", fields: [name: "must be true or false"])
        }
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let rule = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            throw Refusal.invalid("\(name) \(rule)", fields: [name: rule])
        }
        return number
    }
}
