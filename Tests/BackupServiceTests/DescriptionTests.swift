import BackupCore
import Foundation
import NIOHTTP1
import Testing

/// What the API says of itself; that it is true is for `Tests/Acceptance/service.sh` to show.
@Suite struct DescriptionTests {
    @Test("Every route is described, and refers to nothing that is not there")
    func complete() async throws {
        try await ServiceBench.with { bench in
            #expect(try await bench.ask(.GET, "/openapi.json").status == 401)
            let reply = try await bench.ask(.GET, "/openapi.json", token: try await bench.token(.viewer))
            #expect(reply.status == 200)
            #expect((reply.json["openapi"] as? String)?.hasPrefix("3.1.") == true)
            let paths = try #require(reply.json["paths"] as? [String: [String: [String: Any]]])
            #expect(paths["/api/v1/backup"]?["get"] != nil && paths["/api/v1/backup/jobs/{id}/run"]?["post"] != nil)
            var ids: [String] = []
            for (path, operations) in paths {
                for (method, operation) in operations {
                    #expect((operation["summary"] as? String)?.isEmpty == false, "\(method) \(path)")
                    ids.append(try #require(operation["operationId"] as? String))
                }
            }
            #expect(Set(ids).count == ids.count)
            let components = try #require(reply.json["components"] as? [String: Any])
            let schemas = try #require(components["schemas"] as? [String: Any])
            let text = String(decoding: reply.body, as: UTF8.self)
            var used: Set<String> = []
            for part in text.components(separatedBy: "#/components/schemas/").dropFirst() {
                used.insert(String(part.prefix { $0 != "\"" }))
            }
            #expect(used == Set(schemas.keys))
        }
    }
}
