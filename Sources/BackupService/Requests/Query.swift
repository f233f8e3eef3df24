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

    /// Nil where the parameter is missing, or empty: forms send those that were not filled in.
    func text(_ name: String) -> String? {
        request.uri.queryParameters[name[...]].flatMap { $0.isEmpty ? nil : String($0) }
    }

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

    /// How many a page may have: what is asked for, and no more than a page has.
    func limit() throws -> Int? {
        try parsed("limit", "must be a whole number from 1 on") { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.contains(where: { $0 != "0" }) else {
                return nil
            }
            return min(Int(text) ?? .max, Query.longestPage)
        }
    }

    static let longestPage = 1_000

    /// - Throws: `Refusal` for a text that `parse` does not take.
    func parsed<Value>(_ name: String, _ rule: String, _ parse: (String) -> Value?) throws -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = parse(text) else { throw Refusal.invalid("\(name) \(rule)", fields: [name: rule]) }
        return value
    }

    /// A moment as RFC 3339 writes it, with its offset.
    func moment(_ name: String) throws -> Timestamp? {
        let rule = "must be a time such as 2026-11-23T01:29:03Z (RFC 3339), with + written as %2B"
        return try parsed(name, rule) { text in
            let rest = text.dropFirst(10)
            guard rest.first == "T" || rest.first == "t", rest.contains(where: { "Zz+-".contains($0) }) else {
                return nil
            }
            return Timestamp(text.uppercased())
        }
    }

    /// The same question from another place on, for the header `Link` (RFC 8288).
    func link(_ cursor: String) -> String {
        let kept = request.uri.queryParameters.filter { $0.key != "cursor" }.map {
            "\(Self.encoded($0.key))=\(Self.encoded($0.value))"
        }
        return
            "<\(request.uri.path)?\((kept + ["cursor=\(Self.encoded(cursor[...]))"]).joined(separator: "&"))>; rel=\"next\""
    }

    private static func encoded(_ text: Substring) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isPlain || "-._~".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
