import BackupCore
import Glibc

/// Questions to the person at the terminal.
enum StandardInput {
    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The first line; nil where there is none, or it is longer than any secret.
    static func line() -> String? {
        var line: [UInt8] = []
        while line.count <= 1024 {
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != UInt8(ascii: "\n") else {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return String(validating: line, as: UTF8.self)
            }
            line.append(byte)
        }
        return nil
    }

    /// Asks, and waits for `y` or `yes`; anything else, and the end of input, is a no.
    static func confirm(_ question: String) throws -> Bool {
        try Descriptor.messages.write(question + " [y/N] ")
        var answer: [UInt8] = []
        while answer.count < 64 {
            // A blocking read would not notice that the command was cancelled.
            try Task.checkCancellation()
            var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") else { break }
            answer.append(byte)
        }
        return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
    }
}
