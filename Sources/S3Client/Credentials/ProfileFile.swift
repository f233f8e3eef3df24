/// One of the two files of profiles: `[section]`, `name = value`, comments.
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
enum ProfileFile {
    enum Kind {
        /// Sections are named after profiles.
        case credentials
        /// Sections are `profile NAME`, or `default`; others are no profiles.
        case configuration
    }

    /// Settings by profile; the settings' names in lower case.
    typealias Profiles = [String: [String: String]]

    /// - Parameter path: for the error.
    /// - Throws: ``S3Error`` of kind `credentials` that names the line, not what it holds.
    static func parse(_ text: String, _ kind: Kind, path: String) throws(S3Error) -> Profiles {
        var profiles: Profiles = [:]
        var section: String??
        var indentation: Int?
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = trimmed(line)
            guard let first = content.first, first != "#", first != ";" else { continue }
            if first == "[" {
                guard let end = content.firstIndex(of: "]") else { throw malformed(path, index) }
                section = .some(profile(content[content.index(after: content.startIndex)..<end], kind))
                if case .some(.some(let name)) = section { profiles[name, default: [:]].merge([:]) { $1 } }
                indentation = nil
                continue
            }
            // What is indented deeper than a setting belongs to it: a table of settings, or a value's next line.
            let depth = line.prefix { $0 == " " || $0 == "\t" }.count
            if let indentation, depth > indentation { continue }
            guard let section, let equals = content.firstIndex(of: "="), equals > content.startIndex else {
                throw malformed(path, index)
            }
            indentation = depth
            guard let name = section else { continue }
            let key = trimmed(content[..<equals]).lowercased()
            profiles[name, default: [:]][key] = value(content[content.index(after: equals)...])
        }
        return profiles
    }

    private static func malformed(_ path: String, _ index: Int) -> S3Error {
        S3Error(
            .credentials, "\(path), line \(index + 1): neither a [section] nor NAME = VALUE below one, nor a # comment")
    }

    /// nil for a section that is no profile.
    private static func profile(_ header: Substring, _ kind: Kind) -> String? {
        let header = trimmed(header)
        guard kind == .configuration, header != "default" else { return unquoted(header) }
        guard header.hasPrefix("profile"), header.dropFirst(7).first.map({ $0 == " " || $0 == "\t" }) == true else {
            return nil
        }
        return unquoted(trimmed(header.dropFirst(7)))
    }

    private static func unquoted(_ text: Substring) -> String {
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return String(text.dropFirst().dropLast())
        }
        return String(text)
    }

    /// Without a comment, which white space must stand before: keys and commands may hold `#`.
    private static func value(_ text: Substring) -> String {
        var before: Character = " "
        for index in text.indices {
            if before == " " || before == "\t", text[index] == "#" || text[index] == ";" {
                return String(trimmed(text[..<index]))
            }
            before = text[index]
        }
        return String(trimmed(text))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return start.prefix(0) }
        return start[...end]
    }
}
