internal import BackupCore
internal import Foundation

/// An announcement as a message of mail (RFC 5322), handed to a program as sendmail(8) takes it.
package struct Mail {
    private let recipients: [String]
    private let subject: String
    private let lines: [String]

    package init(recipients: [String], subject: String, lines: [String]) {
        self.recipients = recipients
        self.subject = subject
        self.lines = lines
    }

    /// Every header is ASCII without line breaks, whatever the name of a job holds: what is not goes as an encoded word
    /// (RFC 2047). The body is base64, so that no line of it can mean anything to a mail program.
    package var bytes: [UInt8] {
        let body = Data(lines.joined(separator: "\r\n").utf8)
            .base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        let headers = [
            "To: \(recipients.filter(AnnouncementSettings.isAddress).joined(separator: ",\n "))",
            "Subject: \(Mail.header("[elder-backup] " + subject))", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
            "Auto-Submitted: auto-generated",
        ]
        return Array((headers.joined(separator: "\n") + "\n\n" + body + "\n").utf8)
    }

    static func header(_ text: String) -> String {
        let text = String(text.prefix(150))
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), !text.contains("=?"), text.utf8.count < 60 { return text }
        var words: [String] = []
        var part: [UInt8] = []
        func end() {
            words.append("=?utf-8?B?\(Data(part).base64EncodedString())?=")
            part = []
        }
        for character in text {
            let bytes = Array(String(character).utf8.prefix(39))
            if part.count + bytes.count > 39 { end() }
            part += bytes
        }
        end()
        return words.joined(separator: "\n ")
    }

    /// What went wrong; nil where the program took it.
    func send(by program: String) async -> String? {
        var command = ChildCommand(
            path: program, arguments: ["-t", "-i"], environment: ChildCommand.cleanEnvironment(), input: bytes,
            limit: .seconds(30))
        // Some deliver in the background.
        command.endsRest = false
        return await command.run().fault.map { "\(program) \($0)" }
    }
}
