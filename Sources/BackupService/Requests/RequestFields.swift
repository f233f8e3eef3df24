internal import BackupCore
internal import Foundation
internal import Hummingbird
internal import NIOCore

/// The fields of a JSON body, read strictly: what is wrong is told by field, all of it at once.
struct RequestFields {
    private let values: [String: JSONValue]
    private let known: Set<String>
    private var faults: [String: String] = [:]
    private let text: [UInt8]

    /// In bytes.
    static let longestBody = 1 << 20

    /// - Parameter isOptional: whether no body at all means no fields.
    /// - Throws: `Refusal` for a body that is too long, or no JSON object.
    init(_ request: Request, known: Set<String>, isOptional: Bool = false) async throws {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > RequestFields.longestBody {
            throw Refusal.tooLarge
        }
        var bytes: [UInt8] = []
        for try await var part in request.body {
            guard bytes.count + part.readableBytes <= RequestFields.longestBody else { throw Refusal.tooLarge }
            bytes += part.readBytes(length: part.readableBytes) ?? []
        }
        self.known = known
        text = bytes
        if bytes.isEmpty, isOptional {
            values = [:]
            return
        }
        guard case .object(let object)? = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
            throw Refusal.invalid("the body is not a JSON object", fields: [:])
        }
        values = object
        rejectUnknown()
    }

    private init(_ values: [String: JSONValue], known: Set<String>) {
        self.values = values
        self.known = known
        text = []
        rejectUnknown()
    }

    private mutating func rejectUnknown() {
        for name in values.keys where !known.contains(name) {
            faults[String(name.prefix(60))] = "is not known; allowed are \(known.sorted().joined(separator: ", "))"
        }
    }

    /// Whether a field is there, be it null.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// A field as it was sent, so that no number of it is rounded; nil where it is missing or null.
    ///
    /// - Throws: `Refusal` where a field of the body is there twice.
    func json(_ name: String) throws -> [UInt8]? {
        guard let value = values[name], value != .null else { return nil }
        do {
            return try JSONSlices(object: text, depth: 512)[name]
        } catch {
            throw Refusal.invalid(error.message, fields: [name: error.message])
        }
    }

    mutating func blame(_ name: String, _ fault: String) { faults[name] = fault }

    /// Nil where the field is missing or null; so are the others.
    mutating func text(_ name: String) -> String? {
        value(name, "must be a text") { if case .text(let text) = $0 { text } else { nil } }
    }

    mutating func flag(_ name: String) -> Bool? {
        value(name, "must be true or false") { if case .flag(let flag) = $0 { flag } else { nil } }
    }

    mutating func number(_ name: String) -> Int? {
        value(name, "must be a whole number") { value in
            // Beyond 2^53 JSON's numbers are no longer exact for most programs (RFC 8259, section 6).
            guard case .number(let number) = value, abs(number) < 9_007_199_254_740_992 else { return nil }
            return Int(exactly: number)
        }
    }

    mutating func texts(_ name: String) -> [String]? {
        value(name, "must be a list of texts") { value in
            guard case .list(let list) = value else { return nil }
            let texts = list.compactMap { if case .text(let text) = $0 { text } else { nil } }
            return texts.count == list.count ? texts : nil
        }
    }

    mutating func fields(_ name: String, known: Set<String>) -> RequestFields? {
        value(name, "must be an object") {
            if case .object(let object) = $0 { RequestFields(object, known: known) } else { nil }
        }
    }

    private mutating func value<Value>(
        _ name: String, _ rule: String, _ read: (JSONValue) -> Value?
    ) -> Value? {
        guard let value = values[name], value != .null else { return nil }
        return read(value) ?? wrong(name, rule)
    }

    private mutating func wrong<Value>(_ name: String, _ rule: String) -> Value? {
        faults[name] = rule
        return nil
    }

    /// - Throws: `Refusal` where a field is wrong, here or in what lies within it.
    func check(_ inner: RequestFields? = nil) throws {
        let all = faults.merging(inner?.faults ?? [:]) { first, _ in first }
        guard let first = all.min(by: { $0.key < $1.key }) else { return }
        throw Refusal.invalid("\(first.key) \(first.value)", fields: all)
    }
}

/// Any JSON text, as far as a request's body may go.
private enum JSONValue: Decodable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}
