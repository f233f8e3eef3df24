import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("Metrics")
struct MetricsTests {
    private func scrape(_ bench: ServiceBench, _ token: String? = nil) async throws -> String {
        let reply = try await bench.ask(.GET, "/metrics", token: token)
        #expect(reply.status == 200)
        #expect(reply.headers.first(name: "Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        return String(decoding: reply.body, as: UTF8.self)
    }

    /// The value of a sample.
    private func value(_ sample: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(sample + " ") }.flatMap {
            Double($0.dropFirst(sample.count + 1))
        }
    }

    /// The names of metrics in a text, without what histograms add.
    private func names(in text: String) -> Set<String> {
        var names: Set<String> = []
        for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            guard word.hasPrefix("elder_backup_") else { continue }
            names.insert(String(word))
        }
        return names
    }

    @Test("Runs of the service and of commands are told of, and survive a restart where the catalog knows them")
    func runs() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.hasPublicMetrics = true }) { bench in
            var change = BackupJobChange()
            change.name = "night\"ly"
            change.schedule = "30 2 * * *"
            let job = try await bench.engine.createJob(change)
            change.name = "office"
            change.schedule = "*/10 6-15 * * *"
            _ = try await bench.engine.createJob(change)
            let label = #"backup_job="night\"ly""#
            let before = try await scrape(bench)
            #expect(value("elder_backup_catalog_up", in: before) == 1)
            #expect(value("elder_backup_job_enabled{\(label)}", in: before) == 1)
            #expect(value("elder_backup_job_longest_gap_seconds{\(label)}", in: before) == 86_400)
            // Overnight, whatever time it is.
            #expect(value("elder_backup_job_longest_gap_seconds{backup_job=\"office\"}", in: before) == 51_000)
            #expect(value("elder_backup_job_last_success_timestamp_seconds{\(label)}", in: before) == nil)

            let token = try await bench.token(.operator)
            let run = try await bench.ask(.POST, "/api/v1/backup/jobs/\(job.id)/run", token: token)
            #expect(run.status == 202)
            // As a command would do it.
            var request = BackupRequest()
            request.job = JobReference("\(job.id)")
            let second = try await bench.engine.backup(request)
            // Neither is a backup of what the job is for.
            var other = request
            other.source = .sqlite(path: bench.directory + "/missing")
            await #expect(throws: BackupError.self) { _ = try await bench.engine.backup(other) }
            try ServiceBench.query("CREATE TABLE more(n)", on: bench.directory + "/app.sqlite")
            var partial = request
            partial.includeTables = ["more"]
            _ = try await bench.engine.backup(partial)

            let text = try await scrape(bench)
            #expect(value("elder_backup_runs_total{\(label),result=\"completed\"}", in: text) == 3)
            #expect(value("elder_backup_runs_total{\(label),result=\"failed\"}", in: text) == 1)
            #expect(value("elder_backup_run_rows_total{\(label)}", in: text) == 4)
            #expect(value("elder_backup_run_duration_seconds_count{\(label)}", in: text) == 4)
            #expect(value("elder_backup_run_duration_seconds_bucket{\(label),le=\"+Inf\"}", in: text) == 4)
            #expect(value("elder_backup_backups{\(label),status=\"completed\"}", in: text) == 3)
            #expect(value("elder_backup_job_last_run_failed{\(label)}", in: text) == 0)
            #expect(value("elder_backup_job_last_rows{\(label)}", in: text) == 2)
            #expect(value("elder_backup_job_last_size_bytes{\(label)}", in: text) == Double(second.fileSize))
            let success = try #require(value("elder_backup_job_last_success_timestamp_seconds{\(label)}", in: text))
            #expect(abs(success - Date().timeIntervalSince1970) < 60)
            #expect(try #require(value("elder_backup_disk_free_bytes", in: text)) > 0)
            #expect(try #require(value("elder_backup_catalog_size_bytes", in: text)) > 0)
            // Nothing is counted twice.
            let again = try await scrape(bench)
            #expect(value("elder_backup_runs_total{\(label),result=\"completed\"}", in: again) == 3)
            try FileManager.default.removeItem(atPath: bench.directory + "/app.sqlite")
            await #expect(throws: BackupError.self) { _ = try await bench.engine.backup(request) }
            #expect(value("elder_backup_job_last_run_failed{\(label)}", in: try await scrape(bench)) == 1)
            #expect(try await bench.engine.deleteJob(JobReference("\(job.id)")).job.id == job.id)
            let after = try await scrape(bench)
            #expect(value("elder_backup_backups{backup_job=\"(deleted)\",status=\"completed\"}", in: after) == 3)
            #expect(value("elder_backup_job_enabled{\(label)}", in: after) == nil)
        }
    }

    @Test("Backups of jobs beyond those that are told of one by one are not those of deleted jobs")
    func manyJobs() async throws {
        try await ServiceBench.with(
            prepare: { _, catalog in
                try ServiceBench.query(
                    """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1003)
                    INSERT INTO backup_jobs(id, name, uuid) SELECT i, 'job ' || i, 'u' || i FROM n;
                    INSERT INTO backups(job_id, filename, status, file_size)
                        VALUES (1000, 'a', 'completed', 1), (1001, 'b', 'completed', 2), (1003, 'c', 'completed', 3),
                            (1004, 'd', 'completed', 4);
                    """, on: catalog)
            }, settings: { settings, _ in settings.hasPublicMetrics = true }
        ) { bench in
            let text = try await scrape(bench)
            func size(_ job: String) -> Double? {
                value("elder_backup_backups_size_bytes{backup_job=\"\(job)\"}", in: text)
            }
            #expect(size("job 1000") == 1 && size("other") == 5 && size("(deleted)") == 4)
            #expect(value("elder_backup_job_enabled{backup_job=\"job 1000\"}", in: text) == 1)
            #expect(value("elder_backup_job_enabled{backup_job=\"job 1001\"}", in: text) == nil)
        }
    }

    @Test("Requests are counted by route and status, and what clients choose freely makes no labels")
    func requests() async throws {
        try await ServiceBench.with { bench in
            let token = try await bench.token(.viewer)
            #expect(try await bench.ask(.GET, "/metrics").status == 401)
            for id in 1...5 { _ = try await bench.ask(.GET, "/api/v1/backup/\(id)", token: token) }
            for path in ["/x/1", "/x/2", "/api/v1/backup/%FF/%00"] { _ = try await bench.ask(.GET, path, token: token) }
            _ = try await bench.ask(.PROPFIND, "/api/v1/backup/stats", token: token)
            let text = try await scrape(bench, token)
            let requests = "elder_backup_http_requests_total"
            #expect(value(requests + "{method=\"GET\",route=\"/api/v1/backup/{id}\",status=\"4xx\"}", in: text) == 5)
            #expect(value(requests + "{method=\"GET\",route=\"other\",status=\"4xx\"}", in: text) == 3)
            #expect(value(requests + "{method=\"GET\",route=\"/metrics\",status=\"4xx\"}", in: text) == 1)
            #expect(value(requests + "{method=\"other\",route=\"/api/v1/backup/stats\",status=\"4xx\"}", in: text) == 1)
            let duration =
                "elder_backup_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/backup/{id}\"}"
            #expect(value(duration, in: text) == 5)
            #expect(!text.contains("/x/1"))
        }
    }

    @Test("Every line is as Prometheus reads it, and no sample is there twice")
    func form() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.hasPublicMetrics = true }) { bench in
            _ = try await bench.engine.backup(BackupRequest())
            let text = try await scrape(bench)
            let sample = try Regex(
                #"[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? (-?[0-9.]+(e[-+]?[0-9]+)?|NaN|[-+]Inf)"#)
            var seen: Set<Substring> = []
            var types: Set<Substring> = []
            for line in text.split(separator: "\n") {
                if line.hasPrefix("# TYPE ") {
                    #expect(types.insert(line.split(separator: " ")[2]).inserted, "\(line)")
                } else if !line.hasPrefix("# HELP ") {
                    #expect(line.wholeMatch(of: sample) != nil, "\(line)")
                    let end = try #require(line.lastIndex(of: " "))
                    #expect(seen.insert(line[..<end]).inserted, "\(line)")
                }
            }
            #expect(text.hasSuffix("\n") && types.count > 20)
        }
    }

    @Test("Alerts, dashboard and document use the names that are told, and no others")
    func files() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.hasPublicMetrics = true }) { bench in
            let text = try await scrape(bench)
            let told = Set(
                text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map {
                    String($0.split(separator: " ")[2])
                })
            func base(_ name: String) -> String {
                for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) && !told.contains(name) {
                    return String(name.dropLast(suffix.count))
                }
                return name
            }
            var used: Set<String> = []
            for path in ["deploy/prometheus/alerts.yml", "deploy/grafana/elder-backup.json", "docs/metrics.md"] {
                let found = names(in: try String(contentsOfFile: path, encoding: .utf8))
                #expect(found.count > 5)
                let unknown = Set(found.map(base)).subtracting(told)
                #expect(unknown.isEmpty, "\(path): \(unknown.sorted())")
                used.formUnion(found.map(base))
            }
            #expect(told.subtracting(used).subtracting(["elder_backup_job_last_size_bytes"]).isEmpty)
        }
    }
}
