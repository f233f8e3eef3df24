internal import BackupCore
internal import Hummingbird
internal import NIOCore

/// The fields of a JSON body, read strictly: what is wrong is told by field, all of it at once.
///
/// A value is read only when it is asked for, and in one pass: what a body costs grows with its length alone.
struct RequestFields {
    private let values: [String: [UInt8]]
    private var faults: [String: String] = [:]

    /// In bytes.
    static let longestBody = 1 << 20
    /// How deeply a value may be nested: filters go deepest.
    private static let depth = 16
    /// How many unknown fields are named.
    private static let toldFaults = 20

    /// - Parameter isOptional: whether no body at all means no fields.
    /// - Throws: `Refusal` for what is no JSON object.
    init(_ request: Request, known: Set<String>, isOptional: Bool = false) async throws {
        // `BodyLimit` has read and counted it.
        var bytes = Array(try await request.body.collect(upTo: RequestFields.longestBody).readableBytesView)
        if bytes.isEmpty, isOptional { bytes = Array("{}".utf8) }
        do throws(BackupError) {
            try self.init(object: bytes, known: known)
        } catch {
            throw Refusal.invalid("the body is not a JSON object: \(error.message)", fields: [:])
        }
    }

    /// - Throws: `damaged` where the text is not one object, or names a field twice.
    private init(object text: [UInt8], known: Set<String>) throws(BackupError) {
        let members = try JSONSlices(object: text, depth: RequestFields.depth).members
        values = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        for name in values.keys.filter({ !known.contains($0) }).prefix(RequestFields.toldFaults) {
            faults[String(name.prefix(60))] = "is not known; allowed are \(known.sorted().joined(separator: ", "))"
        }
    }

    /// Whether a field is there, be it null.
    func has(_ name: String) -> Bool { values[name] != nil }

    func isNull(_ name: String) -> Bool { has(name) && json(name) == nil }

    /// A field as it was sent, so that no number of it is rounded; nil where it is missing or null.
    func json(_ name: String) -> [UInt8]? {
        values[name].flatMap { $0.elementsEqual("null".utf8) ? nil : $0 }
    }

    mutating func blame(_ name: String, _ fault: String) { faults[name] = fault }

    /// Nil where the field is missing or null; so are the others.
    mutating func text(_ name: String) -> String? {
        value(name, "must be a text", JSONSlices.string)
    }

    mutating func flag(_ name: String) -> Bool? {
        value(name, "must be true or false") { value in
            value.elementsEqual("true".utf8) ? true : value.elementsEqual("false".utf8) ? false : nil
        }
    }

    mutating func number(_ name: String) -> Int? {
        value(name, "must be a whole number") { value in
            // Beyond 2^53 JSON's numbers are no longer exact for most programs (RFC 8259, section 6).
            guard value.first != UInt8(ascii: "\""), let number = Double(String(decoding: value, as: UTF8.self)),
                abs(number) < 9_007_199_254_740_992
            else { return nil }
            return Int(exactly: number)
        }
    }

    mutating func texts(_ name: String) -> [String]? {
        value(name, "must be a list of texts") { value in
            guard let elements = JSONSlices.elements(of: value) else { return nil }
            let texts = elements.compactMap(JSONSlices.string)
            return texts.count == elements.count ? texts : nil
        }
    }

    mutating func fields(_ name: String, known: Set<String>) -> RequestFields? {
        value(name, "must be an object that names no field twice") { try? RequestFields(object: $0, known: known) }
    }

    private mutating func value<Value>(_ name: String, _ rule: String, _ read: ([UInt8]) -> Value?) -> Value? {
        guard let value = json(name) else { return nil }
        if let read = read(value) { return read }
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
