import Foundation
import Glibc
import S3Client
import Testing

@Suite struct CredentialProcessTests {
    /// What a profile's `credential_process` gives that runs this script.
    private func run(_ script: String, limit: Double = 60, home: String = "/") async throws -> Credentials {
        try await TemporaryFolder.with { folder in
            let program = try folder.write("#!/bin/sh\n" + script, to: "get it.sh", permissions: 0o700)
            let configuration = try folder.write(
                "[profile p]\ncredential_process = '\(program)' --role \"a b\" c\\ d", to: "config")
            let environment = [
                "AWS_CONFIG_FILE": configuration, "AWS_PROFILE": "p", "PATH": "/usr/bin:/bin",
                "MARK": "from-environment", "2FA": "a name that no shell would set",
            ]
            let context = CredentialsContext(environment: environment, now: { 0 })
            let source = try #require(try await ProfileCredentials(context, processLimit: limit))
            return try await source.fetch()
        }
    }

    @Test("It is run without a shell, with its words, the environment and no input")
    func output() async throws {
        let found = try await run(
            #"""
            read -r line && exit 9
            echo SECRETNOISE >&2
            printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","SessionToken":"%s",' "$#$1" "$2-$3" "$MARK"
            printf '"Expiration":"2030-01-01T00:00:00Z"}'
            """#)
        #expect(
            found
                == Credentials(
                    accessKeyID: "3--role", secretAccessKey: "a b-c d", sessionToken: "from-environment",
                    expiration: 1_893_456_000, source: "profile \"p\" (credential_process)"))
    }

    @Test(
        "Failures name the profile and how the program ended, and show nothing that it wrote",
        arguments: [
            ("echo SECRET; echo SECRET >&2; exit 3", "ended with status 3"), ("kill -9 $$", "ended with signal 9"),
            ("echo SECRET", "something else than the JSON"), ("exit 0", "something else than the JSON"),
            (#"echo '{"AccessKeyId":"SECRET","SecretAccessKey":"SECRET"}'"#, "another Version"),
            (#"echo '{"Version":2,"AccessKeyId":"SECRET","SecretAccessKey":"SECRET"}'"#, "another Version"),
            (#"echo '{"Version":1,"AccessKeyId":"SECRET"}'"#, "no AccessKeyId and SecretAccessKey"),
            ("while :; do echo SECRETSECRETSECRETSECRETSECRETSECRET; done", "writes more than 65536 bytes"),
        ])
    func failures(_ script: String, _ word: String) async {
        let error = await #expect(throws: S3Error.self) { try await run(script) }
        #expect(error?.kind == .credentials)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("profile \"p\"") == true)
        #expect(error?.description.contains("SECRET") == false)
    }

    @Test(
        "What takes too long is ended, whether it is silent, has closed its output, or does not want to go",
        arguments: ["exec sleep 100", "exec sleep 300 >&-", "trap '' TERM; while :; do sleep 0.05; done"])
    func limit(_ script: String) async {
        let clock = ContinuousClock()
        let start = clock.now
        let error = await #expect(throws: S3Error.self) { try await run(script, limit: 0.3) }
        #expect(error?.message.contains("took longer than 1 s") == true, "\(error?.message ?? "")")
        #expect(clock.now - start < .seconds(80))
    }

    @Test("With what takes too long all goes that it started, also what does not want to")
    func group() async throws {
        try await TemporaryFolder.with { folder in
            let note = try folder.write("", to: "process")
            let error = await #expect(throws: S3Error.self) {
                try await run("(trap '' TERM; exec sleep 300) & echo $! > '\(note)'; wait", limit: 0.5)
            }
            #expect(error?.message.contains("took longer") == true, "\(error?.message ?? "")")
            let text = try String(contentsOfFile: note, encoding: .utf8)
            let process = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            let end = ContinuousClock.now + .seconds(30)
            while isAlive(process), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
            #expect(!isAlive(process))
        }
    }

    /// Not gone, and not only waiting for somebody to ask how it ended.
    private func isAlive(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.trimmingCharacters(in: .whitespaces).first != "Z"
    }

    @Test("A program that leaves another behind with its output open is not waited for")
    func leftBehind() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let found = try await run(
            #"sleep 100 & echo '{"Version":1,"AccessKeyId":"K","SecretAccessKey":"S"}'"#)
        #expect(found.accessKeyID == "K")
        #expect(clock.now - start < .seconds(80))
    }

    @Test("It gets none of this process's descriptors")
    func descriptors() async throws {
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        #expect(descriptor > 2)
        let found = try await run(
            "[ -e /proc/$$/fd/\(descriptor) ] && exit 7\n"
                + #"echo '{"Version":1,"AccessKeyId":"K","SecretAccessKey":"S"}'"#)
        #expect(found.accessKeyID == "K")
    }

    @Test("A cancelled task does not wait for the program")
    func cancellation() async {
        let clock = ContinuousClock()
        let start = clock.now
        let task = Task { try await run("exec sleep 100") }
        task.cancel()
        let error = await #expect(throws: S3Error.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(clock.now - start < .seconds(80))
    }
}
