/// The lines in front of a part's content.
struct MultipartHead {
    let part: MultipartParser.Part

    init(_ text: String) throws(MultipartParser.Fault) {
        var found: MultipartParser.Part?
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw MultipartParser.Fault(message: "a line of a part's head is malformed") }
            guard line[..<colon].lowercased() == "content-disposition" else { continue }
            guard found == nil else {
                throw MultipartParser.Fault(message: "a part has two headers Content-Disposition")
            }
            found = try MultipartHead.part(String(line[line.index(after: colon)...]))
        }
        guard let found else { throw MultipartParser.Fault(message: "a part has no header Content-Disposition") }
        part = found
    }

    private static func part(_ disposition: String) throws(MultipartParser.Fault) -> MultipartParser.Part {
        guard let fields = parameters(disposition), fields.value.lowercased() == "form-data",
            let name = fields.parameters["name"], !name.isEmpty
        else { throw MultipartParser.Fault(message: "a part's header Content-Disposition is malformed") }
        return MultipartParser.Part(name: name, filename: fields.parameters["filename"])
    }

    /// A value and its parameters, each given once: `form-data; name="file"; filename="a.json"`. Browsers write `%22`
    /// for a quote in a name, others `\"`.
    static func parameters(_ text: String) -> (value: String, parameters: [String: String])? {
        var rest = text[...]
        func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\t" } }
        func token() -> String {
            let word = rest.prefix { !" \t;=\"\r\n".contains($0) }
            rest = rest.dropFirst(word.count)
            return String(word)
        }
        skipSpace()
        let value = token()
        guard !value.isEmpty else { return nil }
        var parameters: [String: String] = [:]
        while true {
            skipSpace()
            guard !rest.isEmpty else { return (value, parameters) }
            guard rest.first == ";" else { return nil }
            rest = rest.dropFirst()
            skipSpace()
            if rest.isEmpty { return (value, parameters) }
            let name = token().lowercased()
            guard !name.isEmpty, rest.first == "=" else { return nil }
            rest = rest.dropFirst()
            let content: String
            if rest.first == "\"" {
                guard let quoted = takeQuoted(&rest) else { return nil }
                content = quoted
            } else {
                content = token()
            }
            guard parameters.updateValue(content, forKey: name) == nil else { return nil }
        }
    }

    private static func takeQuoted(_ rest: inout Substring) -> String? {
        var content = ""
        var index = rest.index(after: rest.startIndex)
        while index < rest.endIndex {
            let character = rest[index]
            let next = rest.index(after: index)
            if character == "\"" {
                rest = rest[next...]
                return content
            }
            if character == "\\", next < rest.endIndex, "\"\\".contains(rest[next]) {
                content.append(rest[next])
                index = rest.index(after: next)
                continue
            }
            content.append(character)
            index = next
        }
        return nil
    }
}
