import BackupCore
import BackupEngine
import BackupService
import Foundation
import Testing

@Suite("A service that stops")
struct StoppingTests {
    @Test("A download that is read slowly has a moment left, and not as long as it likes", .timeLimit(.minutes(1)))
    func slowDownload() async throws {
        let reader = Kept<Task<Int, Never>>()
        try await ServiceBench.with(settings: { settings, directory in
            settings.limits.stopTime = .milliseconds(500)
            try? ServiceBench.query(
                "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                    + "INSERT INTO users SELECT i, hex(randomblob(60000)) FROM n", on: directory + "/app.sqlite")
        }) { bench in
            let token = try await bench.token(.operator)
            let backup = try await bench.engine.backup(BackupRequest())
            #expect(backup.fileSize > 20 << 20)
            let client = try RawClient(port: bench.port)
            client.send(
                "GET /api/v1/backup/\(backup.backupID)/download HTTP/1.1\r\nHost: a\r\n"
                    + "Authorization: Bearer \(token)\r\n\r\n")
            #expect(await client.read(until: "\r\n\r\n").status == 200)
            // Takes a little all the time, so that it never stalls.
            reader.value = Task {
                var count = 0
                while !Task.isCancelled {
                    let bytes = await client.take(16 << 10)
                    guard bytes > 0 else { break }
                    count += bytes
                    try? await Task.sleep(for: .milliseconds(50))
                }
                return count
            }
        }
        // Before it is read to its end the service is gone.
        reader.value?.cancel()
        #expect(await reader.value?.value ?? .max < 20 << 20)
    }

    @Test("A body that comes slowly does not hold it up", .timeLimit(.minutes(1)))
    func slowUpload() async throws {
        let sender = Kept<Task<Void, Never>>()
        try await ServiceBench.with(settings: { settings, _ in
            settings.limits.stopTime = .milliseconds(500)
            settings.limits.bodyTime = .seconds(600)
        }) { bench in
            let token = try await bench.token(.admin)
            let client = try RawClient(port: bench.port)
            client.send(
                "POST /api/v1/backup/import HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n"
                    + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.json\"\r\n\r\n{")
            try await bench.until { try !bench.hiddenFiles().isEmpty }
            sender.value = Task {
                while !Task.isCancelled, client.send(" ") { try? await Task.sleep(for: .milliseconds(50)) }
            }
        }
        sender.value?.cancel()
    }
}
