import BackupCore
// Where this module and Glibc both show stat(), its members count as those of this one.
import CDispatch
import Foundation
import Glibc

/// The variables of a `.env` file.
///
/// A line is `KEY=value`, with `export` in front or without. A value is bare (up to ` #`, or the end of the line), in
/// single quotes (taken as it is) or in double quotes (`\n`, `\t`, `\"`, `\\` and `\$` are escapes). Nothing is
/// interpolated: what a value says does not depend on where it is read.
struct EnvironmentFile {
    private(set) var variables: [String: String] = [:]

    /// Reads a file; none is there when nil is returned.
    static func load(path: String) throws(BackupError) -> EnvironmentFile? {
        guard access(path, F_OK) == 0 else {
            if errno == ENOENT { return nil }
            throw .system(.configuration, "read", path: path, errno: errno)
        }
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            throw .system(.configuration, "read", path: path, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 1 << 20 else {
            throw BackupError(.configuration, "\(path) is not a file of settings: it must be a file of at most 1 MiB")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw BackupError(.configuration, "cannot read \(path); make it readable, or move it away")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw BackupError(.configuration, "\(path) is not UTF-8 text")
        }
        return try EnvironmentFile(text: text, path: path)
    }

    init(text: String, path: String) throws(BackupError) {
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            do {
                guard let (key, value) = try EnvironmentFile.read(line) else { continue }
                variables[key] = value
            } catch {
                // Never the line itself: it may hold a secret.
                throw BackupError(.configuration, "\(path) line \(index + 1): \(error.reason)")
            }
        }
    }

    private struct Malformed: Error {
        var reason: String
    }

    /// Nil for an empty line and a comment.
    private static func read(_ line: Substring) throws(Malformed) -> (key: String, value: String)? {
        var rest = line.drop(while: isSpace)
        guard let first = rest.first, first != "#" else { return nil }
        if rest.hasPrefix("export"), rest.dropFirst(6).first.map(isSpace) == true {
            rest = rest.dropFirst(6).drop(while: isSpace)
        }
        guard let equals = rest.firstIndex(of: "=") else {
            throw Malformed(reason: "no \"=\"; a line is KEY=value, empty, or a comment after #")
        }
        let key = trimmed(rest[..<equals])
        let isName = key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard let initial = key.first, isName, !initial.isNumber else {
            throw Malformed(reason: "the name before \"=\" must be letters, digits and _, and not begin with a digit")
        }
        let value = rest[rest.index(after: equals)...].drop(while: isSpace)
        switch value.first {
        case "'": return (key, try quoted(value.dropFirst(), by: "'", escapes: false))
        case "\"": return (key, try quoted(value.dropFirst(), by: "\"", escapes: true))
        default: return (key, bare(value))
        }
    }

    private static func quoted(_ text: Substring, by quote: Character, escapes: Bool) throws(Malformed) -> String {
        var value = ""
        var index = text.startIndex
        while index < text.endIndex, text[index] != quote {
            if escapes, text[index] == "\\" {
                index = text.index(after: index)
                guard index < text.endIndex else { break }
                switch text[index] {
                case "n": value += "\n"
                case "t": value += "\t"
                case "\"", "\\", "$": value.append(text[index])
                default: value += "\\" + String(text[index])
                }
            } else {
                value.append(text[index])
            }
            index = text.index(after: index)
        }
        guard index < text.endIndex else { throw Malformed(reason: "the closing \(quote) is missing") }
        let after = text[text.index(after: index)...].drop(while: isSpace)
        guard after.isEmpty || after.first == "#" else {
            throw Malformed(reason: "there is text after the closing \(quote)")
        }
        return value
    }

    /// A `#` begins a comment only after white space: it may be a part of a password.
    private static func bare(_ text: Substring) -> String {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", isSpace(previous) { return trimmed(text[..<index]) }
            previous = text[index]
        }
        return trimmed(text)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }

    private static func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
}
