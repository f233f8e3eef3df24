internal import BackupEngine
internal import Glibc

/// Reads a body of `multipart/form-data` (RFC 7578, RFC 2046) as its bytes come in, strictly: what is not laid out as
/// these documents say is refused. Never holds more than one piece of what came in, and the head of one part.
package struct MultipartParser {
    package struct Part: Equatable, Sendable {
        package var name: String
        /// Nil for a field that is no file.
        package var filename: String?

        package init(name: String, filename: String?) {
            self.name = name
            self.filename = filename
        }
    }

    package enum Event: Equatable, Sendable {
        case begin(Part)
        /// Some bytes of the part that began last.
        case data([UInt8])
        case end
    }

    /// What is wrong with a body.
    package struct Fault: Error, Equatable {
        package var message: String
    }

    private enum State { case preamble, afterBoundary, head, content, over }

    /// A part's head, in bytes.
    package static let longestHead = 8 << 10
    /// Lines in front of the first boundary, and white space behind one, in bytes.
    private static let longestPadding = 1 << 10
    /// Parts of one body.
    package static let mostParts = 32

    private var state = State.preamble
    private var buffer: [UInt8]
    private var partCount = 0
    /// What ends a part: line break, two hyphens, boundary.
    private let delimiter: [UInt8]

    /// - Parameter contentType: the header of the body.
    package init(contentType: String) throws(Fault) {
        delimiter = Array("\r\n--".utf8) + (try MultipartParser.boundary(contentType))
        // The first boundary may stand at the very beginning: then this is the line break in front of it.
        buffer = [0x0D, 0x0A]
    }

    /// Takes the next bytes; returns what they bring.
    package mutating func add(_ bytes: some Collection<UInt8>) throws(Fault) -> [Event] {
        var events: [Event] = []
        if state == .over { return events }
        buffer += bytes
        while try step(&events) {}
        return events
    }

    /// - Throws: where the body is not over.
    package func finish() throws(Fault) {
        guard state == .over else { throw Fault(message: "the form ends before its closing boundary") }
    }

    /// Whether there may be more to do.
    private mutating func step(_ events: inout [Event]) throws(Fault) -> Bool {
        switch state {
        case .preamble:
            guard let place = MultipartParser.find(delimiter, in: buffer) else {
                guard buffer.count <= MultipartParser.longestPadding + delimiter.count else {
                    throw Fault(message: "the form does not begin with its boundary")
                }
                return false
            }
            buffer.removeFirst(place + delimiter.count)
            state = .afterBoundary
        case .afterBoundary: return try passBoundary()
        case .head: return try passHead(&events)
        case .content:
            if let place = MultipartParser.find(delimiter, in: buffer) {
                if place > 0 { events.append(.data(Array(buffer[..<place]))) }
                events.append(.end)
                buffer.removeFirst(place + delimiter.count)
                state = .afterBoundary
                return true
            }
            // What is left may be the beginning of a delimiter.
            let sure = buffer.count - (delimiter.count - 1)
            guard sure > 0 else { return false }
            events.append(.data(Array(buffer[..<sure])))
            buffer.removeFirst(sure)
            return false
        case .over: return false
        }
        return true
    }

    /// Behind a boundary: two hyphens and the end, or white space and a line break.
    private mutating func passBoundary() throws(Fault) -> Bool {
        guard buffer.count >= 2 else { return false }
        if buffer[0] == UInt8(ascii: "-"), buffer[1] == UInt8(ascii: "-") {
            buffer = []
            state = .over
            return false
        }
        let padding = buffer.prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard padding <= MultipartParser.longestPadding else {
            throw Fault(message: "a boundary is followed by white space")
        }
        guard buffer.count >= padding + 2 else { return false }
        guard buffer[padding] == 0x0D, buffer[padding + 1] == 0x0A else {
            throw Fault(message: "a boundary is not followed by a line break")
        }
        partCount += 1
        guard partCount <= MultipartParser.mostParts else {
            throw Fault(message: "the form has more than \(MultipartParser.mostParts) parts")
        }
        // The line break stays: a head without lines is the empty line alone.
        buffer.removeFirst(padding)
        state = .head
        return true
    }

    private mutating func passHead(_ events: inout [Event]) throws(Fault) -> Bool {
        guard let place = MultipartParser.find([0x0D, 0x0A, 0x0D, 0x0A], in: buffer) else {
            guard buffer.count <= MultipartParser.longestHead else { throw MultipartParser.longHead }
            return false
        }
        guard place <= MultipartParser.longestHead else { throw MultipartParser.longHead }
        guard let head = String(validating: buffer[..<place], as: UTF8.self) else {
            throw Fault(message: "a part's head is not UTF-8")
        }
        events.append(.begin(try MultipartHead(head).part))
        buffer.removeFirst(place + 4)
        state = .content
        return true
    }

    private static let longHead = Fault(message: "a part's head is over \(longestHead) bytes long")

    /// The `boundary` of a header `Content-Type: multipart/form-data` (RFC 2046, section 5.1.1).
    private static func boundary(_ contentType: String) throws(Fault) -> [UInt8] {
        let fields = MultipartHead.parameters(contentType)
        guard let fields, fields.value.lowercased() == ImportForm.mediaType else {
            throw Fault(message: "the body must be a form: Content-Type: multipart/form-data")
        }
        guard let boundary = fields.parameters["boundary"], (1...70).contains(boundary.utf8.count),
            boundary.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), boundary.last != " "
        else { throw Fault(message: "the header Content-Type has no valid boundary") }
        return Array(boundary.utf8)
    }

    /// Where a pattern, which begins with a carriage return, stands in a text.
    private static func find(_ pattern: [UInt8], in text: [UInt8]) -> Int? {
        text.withUnsafeBytes { text in
            pattern.withUnsafeBytes { pattern in
                guard let base = text.baseAddress, let wanted = pattern.baseAddress else { return nil }
                var place = 0
                while place + pattern.count <= text.count {
                    guard let found = memchr(base + place, 0x0D, text.count - pattern.count + 1 - place) else {
                        return nil
                    }
                    place = UnsafeRawPointer(found) - base
                    if memcmp(found, wanted, pattern.count) == 0 { return place }
                    place += 1
                }
                return nil
            }
        }
    }
}
