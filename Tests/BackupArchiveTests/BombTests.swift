import BackupArchive
import BackupCore
import Testing

/// A gigabyte of text out of a few megabytes of file: gzip members of 16 MiB, repeated.
@Suite("Decompression bombs end soon and take little memory", .serialized)
struct BombTests {
    struct Bomb: Sendable, CustomTestStringConvertible {
        var name: String
        var opening: String
        var unit: String
        /// Words of the error; nil where the text is allowed.
        var words: String?
        var closing = ""
        var testDescription: String { name }
    }

    static let bombs = [
        Bomb(name: "spaces", opening: "{", unit: " ", words: "nothing but white space"),
        Bomb(
            name: "spaces between rows", opening: #"{"version":"1.2.0","tables":{"t":[{},"#, unit: " ",
            words: "nothing but white space"),
        Bomb(name: "zeros", opening: "{", unit: "\0", words: "a string is missing"),
        Bomb(name: "brackets", opening: #"{"x":"#, unit: "[", words: "nested over 1,000 deep"),
        Bomb(name: "brackets in a row", opening: #"{"tables":{"t":[{"a":"#, unit: "[", words: "nested over 1,000 deep"),
        Bomb(name: "an endless key", opening: "{\"", unit: "x", words: "a value is over 1048576 bytes long"),
        Bomb(
            name: "an endless version", opening: #"{"version":""#, unit: "x", words: "a value is over 65536 bytes long"),
        Bomb(
            name: "an endless description", opening: #"{"version":"1.2.0","export":""#, unit: "x",
            words: "a value is over 8388608 bytes long"),
        Bomb(
            name: "an endless error", opening: #"{"tables":{"t":""#, unit: "x",
            words: "a value is over 1048576 bytes long"),
        Bomb(name: "many tables", opening: #"{"version":"1.2.0","tables":{"#, unit: "keys", words: "too many keys"),
        Bomb(
            name: "a long ignored value", opening: #"{"version":"1.2.0","x":""#, unit: "x", words: nil,
            closing: #"","tables":{"t":[{}]}}"#),
    ]

    @Test("whatever they repeat", arguments: bombs)
    func read(_ bomb: Bomb) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("bomb.json.gz")
        try Files.write(Gzip.member(Array(bomb.opening.utf8)), to: path)
        if bomb.unit == "keys" {
            try Shell.run(
                #"python3 -c 'for n in range(3000000): print("\"t%d\":[]," % n, end="")' | gzip -1 >> "$1""#, path)
        } else {
            let unit = bomb.unit == "\0" ? #"\0"# : bomb.unit
            try Shell.run(
                #"head -c 16M /dev/zero | tr '\0' "$2" | gzip -1 > "$1.part" && for n in {1..64}; do cat "$1.part"; done >> "$1""#,
                path, unit)
        }
        if !bomb.closing.isEmpty {
            try Files.write(try Files.read(path) + Gzip.member(Array(bomb.closing.utf8)), to: path)
        }
        // In a process of its own, whose memory no other test shares.
        await #expect(processExitsWith: .success) { [path = path as String, words = bomb.words as String?] in
            let before = try Memory.peak()
            let error = try Reading.failure(path)
            let growth = try Memory.peak() - before
            #expect(growth < 48 << 20, "memory grew by \(growth) bytes")
            #expect((error == nil) == (words == nil))
            if let words {
                #expect(error?.code == .damaged)
                #expect(error?.message.contains(words) == true, "\(error?.description ?? "was read")")
            }
        }
    }

    @Test(
        "a hundred thousand brackets in a row and in a part that is ignored",
        arguments: [#"{"x":"#, #"{"tables":{"t":[{"a":"#])
    func nesting(_ opening: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("deep.json.gz")
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        try Files.write(Array((opening + deep + "}").utf8), to: path)
        #expect(try Reading.failure(path)?.message.contains("nested over 1,000 deep") == true)
    }
}
