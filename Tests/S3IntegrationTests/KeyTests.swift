import S3Client
import Testing

extension Integration {
    @Suite struct KeyTests {
        /// Keys that clients and servers have stumbled over.
        static let odd: [String] = {
            let printable = (0x20...0x7E).map { String(UnicodeScalar(UInt8($0))) }
            var keys = printable.map { "in\($0)side" } + printable.map { "under/\($0)" }
            keys += [
                " leading", "trailing ", "two  blanks", "plus+and blank", "100%", "%41", "%2F", "%", "a%zz", "a=b&c=d",
                "?query", "#fragment", "a?b=c#d", "~tilde", "-._~", "(paren)'quote'!*", "\"quoted\"",
                "<xml>&amp;</xml>",
                "ünïcödé", "日本語", "\u{1F388} balloon", "e\u{301} decomposed", "\u{E9} composed", "\u{200B}zero width",
                "a\rb", "a\nb", "a\tb", "\r", "ends with\r\n", "//", "a//b", "/leading", "//two", "a/", "a/b/",
                "a/./b", "a/../b", ".", "..", "...", "../up", "./here", ".hidden", "\\back\\slash", "\u{7F}delete",
                String(repeating: "k", count: 1_024), String(repeating: "ü", count: 512),
                String(repeating: "0123456789abcde/", count: 63) + "end",
            ]
            var seen: Set<[UInt8]> = []
            return keys.filter { seen.insert(Array($0.utf8)).inserted }
        }()

        /// What a file system can hold as a name: nothing that is a path of its own, and neither of two names of which
        /// one is the other's folder.
        private static func isPlainPath(_ key: String) -> Bool {
            let names = key.split(separator: "/", omittingEmptySubsequences: false)
            return names.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
                && !["a", "under"].contains(key) && key.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }

        @Test(
            "An object of any key is put, found, read, copied, listed and deleted",
            arguments: TestStore.having(.anyKey) + [.rclone, .moto])
        func oddKeys(_ store: TestStore) async throws {
            let keys = store.capabilities.contains(.anyKey) ? Self.odd : Self.odd.filter(Self.isPlainPath)
            #expect(keys.count > 150)
            try await withBucket(on: store) { bucket async throws in
                try await inParallel(keys) { key in
                    _ = try await bucket.put(key, "content of \(key)")
                    #expect(try await bucket.read(key) == Array("content of \(key)".utf8), "\(key)")
                    let head = try await bucket.client.headObject(bucket.object(key))
                    #expect(head.size == Int64("content of \(key)".utf8.count), "\(key)")
                }
                let listed = try await bucket.keys()
                #expect(listed.count == keys.count)
                #expect(Set(listed.map { Array($0.utf8) }) == Set(keys.map { Array($0.utf8) }))
                #expect(
                    listed.map { Array($0.utf8) }
                        == keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })

                try await inParallel(keys) { key in
                    guard key.utf8.count < 1_000 else { return }
                    _ = try await bucket.client.copyObject(
                        from: bucket.object(key), to: bucket.object("copy of " + key))
                    #expect(try await bucket.read("copy of " + key) == Array("content of \(key)".utf8), "\(key)")
                }
                for key in keys.prefix(20) { try await bucket.client.deleteObject(bucket.object(key)) }
                let outcomes = try await bucket.client.deleteObjects(
                    in: bucket.name, keys.dropFirst(20).map { ObjectVersion($0) })
                #expect(outcomes.filter { $0.error != nil } == [])
                let rest = try await bucket.keys()
                #expect(rest.allSatisfy { $0.hasPrefix("copy of ") })
            }
        }

        @Test(
            "A part upload of an odd key is listed, completed and read",
            arguments: TestStore.having([.anyKey, .pendingUploads]))
        func oddUpload(_ store: TestStore) async throws {
            try await withBucket(on: store) { bucket async throws in
                let object = bucket.object("a b+%41/ü\u{1F388}\r//../?x=y&z")
                let token = "token-1"
                var options = PutOptions()
                options.metadata[S3Client.uploadToken] = token
                let id = try await bucket.client.createMultipartUpload(object, options: options)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name).map(\.key) == [object.key])
                let part = try await bucket.client.uploadPart(object, uploadID: id, number: 1, .bytes([1, 2, 3]))
                #expect(try await bucket.client.listParts(object, uploadID: id).map(\.size) == [3])
                _ = try await bucket.client.completeMultipartUpload(
                    object, uploadID: id, parts: [part], expecting: .init(token: token, size: 3))
                #expect(try await bucket.read(object.key) == [1, 2, 3])
            }
        }

        @Test(
            "A key that no server takes is refused before anything is sent",
            arguments: ["", String(repeating: "k", count: 1_025)])
        func badKey(_ key: String) async throws {
            try await withFaults { bucket, proxy async throws in
                let error = await #expect(throws: S3Error.self) { try await bucket.put(key, "text") }
                #expect(error?.kind == .configuration)
                #expect(error?.message == "a key has 1 to 1024 bytes, this one has \(key.utf8.count)")
                #expect(try await proxy.state().requests == 0)
            }
        }
    }
}

/// Runs something for all elements, sixteen at a time.
func inParallel<Element: Sendable>(
    _ elements: [Element], _ work: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var rest = elements.makeIterator()
        for _ in 0..<16 {
            guard let element = rest.next() else { break }
            group.addTask { try await work(element) }
        }
        while try await group.next() != nil {
            if let element = rest.next() { group.addTask { try await work(element) } }
        }
    }
}
