import NIOHTTP1
import S3Client
import Testing

extension Integration {
    @Suite struct PresignTests {
        @Test("Whoever has a presigned address does that one thing", arguments: TestStore.having(.presigned))
        func presigned(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                let object = bucket.object("a b/ü+%.txt")
                let put = try await client.presign(.put, object, expiresIn: 60)
                let stored = try await PlainHTTP.ask(.PUT, put, body: Array("text".utf8), as: client.configuration)
                #expect(stored.status == 200)
                #expect(try await bucket.read(object.key) == Array("text".utf8))
                let get = try await client.presign(.get, object, expiresIn: 604_800)
                let fetched = try await PlainHTTP.ask(.GET, get, as: client.configuration)
                #expect(fetched.status == 200)
                #expect(fetched.body == Array("text".utf8))
                let head = try await client.presign(.head, object, expiresIn: 60)
                #expect(try await PlainHTTP.ask(.HEAD, head, as: client.configuration).status == 200)
                let delete = try await client.presign(.delete, object, expiresIn: 60)
                #expect(try await PlainHTTP.ask(.DELETE, delete, as: client.configuration).status == 204)
                #expect(try await bucket.keys() == [])
            }
        }

        @Test(
            "Another method, another key, or a time gone by: refused",
            arguments: TestStore.having([.presigned, .signatures]))
        func refused(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let client = bucket.client
                _ = try await bucket.put("a", "text")
                _ = try await bucket.put("b", "text")
                let get = try await client.presign(.get, bucket.object("a"), expiresIn: 60)
                #expect(try await PlainHTTP.ask(.DELETE, get, as: client.configuration).status == 403)
                let other = get.replacing("/a?", with: "/b?")
                #expect(other != get)
                #expect(try await PlainHTTP.ask(.GET, other, as: client.configuration).status == 403)
                var late = client.configuration
                late.clock = { [clock = late.clock] in clock() - 100 }
                let expired = try await withClient(late) {
                    try await $0.presign(.get, bucket.object("a"), expiresIn: 60)
                }
                #expect(try await PlainHTTP.ask(.GET, expired, as: client.configuration).status == 403)
            }
        }

        @Test("An address for longer than a week, or for no time, is refused", arguments: [0, -1, 604_801])
        func badTime(_ seconds: Int) async throws {
            try await withBucket(on: .rgw) { bucket async throws in
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.client.presign(.get, bucket.object("a"), expiresIn: seconds)
                }
                #expect(error?.message == "a presigned address lasts 1 to 604800 seconds, not \(seconds)")
            }
        }
    }
}
