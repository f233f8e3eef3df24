import Foundation
import TestSupport

/// Values of PostgreSQL's types at random, as SQL. The odd ones come often.
struct RandomValues {
    typealias Generator = SeededGenerator

    /// The types that columns get.
    let types: [String]

    init(extensions: Set<String>) {
        let own = ["mood", "\"Pa.ir\"", "nested", "span", "positive", "words", "pair_domain", "deeper"]
        var scalars = Array(RandomValues.texts.keys) + own
        scalars += RandomValues.ofExtensions.filter { extensions.contains($0.value) }.map(\.key)
        scalars.sort()
        types = scalars + scalars.map { $0 + "[]" }
    }

    private static let ofExtensions = ["hstore": "hstore", "citext": "citext", "ltree": "ltree", "lquery": "ltree"]

    /// A value other than NULL.
    func value(of type: String, _ random: inout Generator) -> String {
        if type.hasSuffix("[]") { return array(of: String(type.dropLast(2)), &random) }
        switch type {
        case "\"Pa.ir\"", "pair_domain": return pair(&random) + "::\(type)"
        case "nested":
            let parts = ["\"Pa.ir\"", "mood[]", "jsonb"].map {
                random.chance(1, in: 4) ? "NULL" : value(of: $0, &random)
            }
            return "ROW(\(parts.joined(separator: ", ")))::nested"
        case "words": return array(of: "text", &random) + "::words"
        case "positive", "deeper": return "\(Int.random(in: 1...Int(Int32.max), using: &random))"
        case "mood":
            return Self.literal(Self.pick(["", "sad", "it's", "\"q\"", "a,b", "{}", "naïve 😀"], &random)) + "::mood"
        case "span": return range(of: "text", constructor: "span", &random)
        case "int4range": return range(of: "smallint", constructor: type, &random)
        case "int8range": return range(of: "integer", constructor: type, &random)
        case "numrange": return range(of: "numeric(12,3)", constructor: type, &random)
        case "daterange": return range(of: "date", constructor: type, &random)
        case "tsrange": return range(of: "timestamp", constructor: type, &random)
        case "tstzrange": return range(of: "timestamptz", constructor: type, &random)
        case "int4multirange", "datemultirange", "tstzmultirange":
            let part = type.replacingOccurrences(of: "multi", with: "")
            let parts = (0..<Int.random(in: 0...3, using: &random)).map { _ in value(of: part, &random) }
            return "\(type)(\(parts.joined(separator: ", ")))"
        default:
            let text = Self.texts[type] ?? Self.extensionTexts[type] ?? Self.words
            return Self.literal(text(&random)) + "::\(type)"
        }
    }

    /// Of one or more dimensions, sometimes with bounds of its own, with NULLs.
    private func array(of type: String, _ random: inout Generator) -> String {
        let count = Int.random(in: 0...3, using: &random)
        guard count > 0 else { return "'{}'::\(type)[]" }
        func list(_ random: inout Generator) -> String {
            let items = (0..<count).map { _ in random.chance(1, in: 5) ? "NULL" : value(of: type, &random) }
            return "ARRAY[\(items.joined(separator: ", "))]::\(type)[]"
        }
        let start = Int.random(in: -3...3, using: &random)
        let isOfArrays = type == "words"
        guard !isOfArrays, random.chance(1, in: 3) else {
            let one = list(&random)
            guard random.chance(1, in: 3) else { return one }
            return "('[\(start):\(start + count - 1)]=' || \(one)::text)::\(type)[]"
        }
        let rows = (0..<Int.random(in: 1...3, using: &random)).map { _ in list(&random) }
        return "ARRAY[\(rows.joined(separator: ", "))]::\(type)[]"
    }

    private func pair(_ random: inout Generator) -> String {
        let parts = ["integer", "text", "timestamptz[]"].map {
            random.chance(1, in: 4) ? "NULL" : value(of: $0, &random)
        }
        return "ROW(\(parts.joined(separator: ", ")))"
    }

    private func range(of type: String, constructor: String, _ random: inout Generator) -> String {
        if random.chance(1, in: 8) { return "'empty'::\(constructor)" }
        let (low, high) = (value(of: type, &random), value(of: type, &random))
        let bounds = Self.pick(["[]", "[)", "(]", "()"], &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: return "\(constructor)(NULL, \(high), '\(bounds)')"
        case 1: return "\(constructor)(\(low), NULL, '\(bounds)')"
        default: return "\(constructor)(least(\(low), \(high)), greatest(\(low), \(high)), '\(bounds)')"
        }
    }

    static func literal(_ text: String) -> String { "'" + text.replacingOccurrences(of: "'", with: "''") + "'" }

    static func pick<Element>(_ items: [Element], _ random: inout Generator) -> Element {
        items[Int.random(in: 0..<items.count, using: &random)]
    }
}
