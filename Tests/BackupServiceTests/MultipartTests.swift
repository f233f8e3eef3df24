import BackupService
import Testing

@Suite("Forms")
struct MultipartTests {
    private static let type = "multipart/form-data; boundary=XyZ"
    private static let form =
        "--XyZ\r\nContent-Disposition: form-data; name=\"dry_run\"\r\n\r\ntrue\r\n"
        + "--XyZ  \r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".json\"\r\n"
        + "Content-Type: application/json\r\n\r\n{\"a\":\r\n--Xy-\r\n--XyY\r}\r\n--XyZ--\r\nepilogue"

    private func parse(_ text: String, in pieces: Int, type: String = type) throws -> [MultipartParser.Event] {
        var parser = try MultipartParser(contentType: type)
        let bytes = Array(text.utf8)
        var events: [MultipartParser.Event] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + pieces, bytes.count)
            for event in try parser.add(bytes[start..<end]) {
                // What comes in pieces is compared as a whole.
                if case .data(let more) = event, case .data(let before)? = events.last {
                    events[events.count - 1] = .data(before + more)
                } else {
                    events.append(event)
                }
            }
            start = end
        }
        try parser.finish()
        return events
    }

    @Test("A form is the same in whatever pieces it comes", arguments: [1, 2, 3, 5, 7, 64, 4096])
    func pieces(size: Int) throws {
        let events = try parse(MultipartTests.form, in: size)
        #expect(
            events == [
                .begin(.init(name: "dry_run", filename: nil)), .data(Array("true".utf8)), .end,
                .begin(.init(name: "file", filename: "a \"b\".json")),
                .data(Array("{\"a\":\r\n--Xy-\r\n--XyY\r}".utf8)), .end,
            ])
    }

    @Test("A part may be empty, a boundary quoted, a preamble short")
    func corners() throws {
        let form = "hello\r\n--a b\r\ncontent-disposition:form-data;name=x;filename=\"\"\r\n\r\n\r\n--a b--"
        let events = try parse(form, in: 4, type: "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"")
        #expect(events == [.begin(.init(name: "x", filename: "")), .end])
    }

    @Test(
        "What is not laid out as it should be is refused",
        arguments: [
            "", "--XyZ", "--XyZ\r\n", "--XyZ-", "garbage", String(repeating: "x", count: 5_000),
            "--XyZ\r\n\r\nno name\r\n--XyZ--",
            "--XyZ\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XyZ--",
            "--XyZ\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XyZ--",
            "--XyZ\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--XyZ--",
            "--XyZ\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XyZ--",
            "--XyZ\r\nno colon\r\n\r\nx\r\n--XyZ--",
            "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XyZ",
            "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XyZjunk\r\n",
            "--XyZ\r\nX: " + String(repeating: "y", count: 9_000) + "\r\n\r\nx\r\n--XyZ--",
            String(
                repeating: "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n", count: 33) + "--XyZ--",
        ])
    func refused(form: String) throws {
        #expect(throws: MultipartParser.Fault.self) { try parse(form, in: 11) }
    }

    @Test(
        "A header without a usable boundary is refused",
        arguments: [
            "", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"" + String(repeating: "b", count: 71) + "\"",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=\"a ",
        ])
    func badHeader(type: String) {
        #expect(throws: MultipartParser.Fault.self) { _ = try MultipartParser(contentType: type) }
    }
}
