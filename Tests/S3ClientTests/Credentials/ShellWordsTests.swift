import S3Client
import Testing

@Suite struct ShellWordsTests {
    @Test(
        "Words are those of a POSIX shell",
        arguments: [
            ("", []), ("  \t\n", []), ("a b  c", ["a", "b", "c"]), ("'a b' c", ["a b", "c"]), ("a'b c'd", ["ab cd"]),
            ("''", [""]), ("\"\" x", ["", "x"]), ("\"a 'b' c\"", ["a 'b' c"]), ("'a \"b\" \\c'", ["a \"b\" \\c"]),
            ("a\\ b", ["a b"]), ("\\\\", ["\\"]), ("\"\\\"\\\\\\$\\`\\n\"", ["\"\\$`\\n"]), ("a\\\nb", ["ab"]),
            ("\"a\\\nb\"", ["ab"]), ("/opt/x --f='1 2' $HOME `id` *", ["/opt/x", "--f=1 2", "$HOME", "`id`", "*"]),
            ("ü '☃'", ["ü", "☃"]),
        ])
    func words(_ text: String, _ words: [String]) {
        #expect(ShellWords.split(text) == words)
    }

    @Test("What is not closed is nil", arguments: ["'", "a 'b", "\"", "\"a\\\"", "a\\", "\"a\\"])
    func refusals(_ text: String) {
        #expect(ShellWords.split(text) == nil)
    }
}
