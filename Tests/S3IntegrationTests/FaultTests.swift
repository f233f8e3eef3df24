import S3Client
import Testing

/// Something that goes wrong on the way, as the proxy knows it.
struct PassingFault: Sendable, CustomTestStringConvertible {
    let name: String
    let action: String
    /// How many requests meet it.
    var times = 2

    var testDescription: String { name }

    func rule(_ operation: String) -> String {
        "[{\"match\": {\"operation\": \"\(operation)\", \"first\": \(times)}, \"action\": \(action)}]"
    }

    static let all: [PassingFault] = [
        PassingFault(name: "a storm of 503", action: #"{"do": "status", "status": 503, "code": "SlowDown"}"#, times: 5),
        PassingFault(
            name: "503 before the body", action: #"{"do": "status", "status": 503, "code": "SlowDown", "early": true}"#),
        PassingFault(name: "503 without a body", action: #"{"do": "empty", "status": 503}"#),
        PassingFault(name: "500", action: #"{"do": "status", "status": 500, "code": "InternalError"}"#),
        PassingFault(
            name: "429 with a time to wait",
            action: #"{"do": "status", "status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}}"#,
            times: 1),
        PassingFault(name: "502 of a proxy", action: #"{"do": "html", "status": 502}"#),
        PassingFault(name: "a reset before anything", action: #"{"do": "reset", "when": "at_start", "how": "rst"}"#),
        PassingFault(name: "an end before anything", action: #"{"do": "reset", "when": "at_start", "how": "fin"}"#),
        PassingFault(name: "a reset before the answer", action: #"{"do": "reset", "when": "before_answer"}"#),
        PassingFault(name: "silence before the answer", action: #"{"do": "stall", "when": "before_answer"}"#, times: 1),
        PassingFault(name: "a web page with status 200", action: #"{"do": "html", "status": 200}"#),
    ]
}

extension Integration {
    @Suite struct FaultTests {
        private func surviving(
            _ fault: PassingFault, _ operation: String, on store: TestStore = .rgw,
            _ body: (TestBucket, FaultyProxy) async throws -> Void
        ) async throws {
            try await withFaults(
                on: store,
                configuring: { configuration in
                    configuration.inactivityTimeout = 1
                    configuration.longAnswerTimeout = 1
                }
            ) { bucket, proxy async throws in
                _ = try await bucket.put("there", "text")
                try await proxy.set(rules: fault.rule(operation))
                try await proxy.resetCounters()
                try await body(bucket, proxy)
                #expect(try await proxy.requests(operation) >= fault.times + 1, "the fault was not met")
            }
        }

        @Test("PutObject", arguments: PassingFault.all)
        func put(_ fault: PassingFault) async throws {
            try await surviving(fault, "PutObject") { bucket, _ async throws in
                let bytes = SampleFile.bytes(400_000)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                #expect(try await bucket.read("a") == bytes)
            }
        }

        @Test("GetObject", arguments: PassingFault.all)
        func get(_ fault: PassingFault) async throws {
            try await surviving(fault, "GetObject") { bucket, _ async throws in
                #expect(try await bucket.read("there") == Array("text".utf8))
            }
        }

        @Test("HeadObject", arguments: PassingFault.all)
        func head(_ fault: PassingFault) async throws {
            try await surviving(fault, "HeadObject") { bucket, _ async throws in
                #expect(try await bucket.client.headObject(bucket.object("there")).size == 4)
            }
        }

        @Test("DeleteObject", arguments: PassingFault.all)
        func delete(_ fault: PassingFault) async throws {
            try await surviving(fault, "DeleteObject") { bucket, _ async throws in
                try await bucket.client.deleteObject(bucket.object("there"))
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("DeleteObjects", arguments: PassingFault.all)
        func deleteMany(_ fault: PassingFault) async throws {
            try await surviving(fault, "DeleteObjects") { bucket, _ async throws in
                let outcomes = try await bucket.client.deleteObjects(in: bucket.name, [ObjectVersion("there")])
                #expect(outcomes.map(\.error) == [nil])
                #expect(try await bucket.keys() == [])
            }
        }

        @Test("ListObjectsV2", arguments: PassingFault.all)
        func list(_ fault: PassingFault) async throws {
            try await surviving(fault, "ListObjectsV2") { bucket, _ async throws in
                #expect(try await bucket.keys() == ["there"])
            }
        }

        @Test("CopyObject", arguments: PassingFault.all)
        func copy(_ fault: PassingFault) async throws {
            try await surviving(fault, "CopyObject") { bucket, _ async throws in
                _ = try await bucket.client.copyObject(from: bucket.object("there"), to: bucket.object("b"))
                #expect(try await bucket.read("b") == Array("text".utf8))
            }
        }

        @Test(
            "An upload in parts", arguments: ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
            PassingFault.all)
        func upload(_ operation: String, _ fault: PassingFault) async throws {
            try await surviving(fault, operation) { bucket, proxy async throws in
                let file = try Folder().sample((11 << 20) + 1)
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                #expect(outcome.proof == .etag)
                #expect(try await bucket.read("a") == file.bytes)
                let pending = try await bucket.client.listMultipartUploads(in: bucket.name)
                // An upload whose id never arrived cannot be ended by who does not know it.
                let lost = operation == "CreateMultipartUpload" && fault.action.contains("before_answer")
                #expect(pending.isEmpty || lost)
            }
        }

        @Test(
            "A connection that breaks in the middle of a body",
            arguments: [
                #"{"do": "reset", "request_bytes": 300000, "how": "rst"}"#,
                #"{"do": "reset", "request_bytes": 300000, "how": "fin"}"#,
                #"{"do": "stall", "request_bytes": 300000}"#,
                #"{"do": "reset", "request_bytes": 0}"#,
            ])
        func brokenUpload(_ action: String) async throws {
            let fault = PassingFault(name: action, action: action, times: 1)
            try await surviving(fault, "UploadPart") { bucket, _ async throws in
                let file = try Folder().sample((11 << 20) + 1)
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                #expect(outcome.proof == .etag)
                #expect(try await bucket.read("a") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test(
            "An answer that breaks, stalls or ends in the middle",
            arguments: [
                #"{"do": "reset", "response_bytes": 300000, "how": "rst"}"#,
                #"{"do": "reset", "response_bytes": 300000, "how": "fin"}"#,
                #"{"do": "stall", "response_bytes": 300000}"#,
                #"{"do": "truncate", "bytes": 300000, "length": "original"}"#,
            ])
        func brokenDownload(_ action: String) async throws {
            let fault = PassingFault(name: action, action: action, times: 1)
            try await surviving(fault, "GetObject") { bucket, _ async throws in
                let folder = try Folder()
                let bytes = SampleFile.bytes((11 << 20) + 1)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                _ = try await bucket.transfers().download(bucket.object("a"), to: folder.file("b"))
                #expect(try folder.bytes(of: "b") == bytes)
            }
        }

        @Test("An answer that is shorter than the stretch asked for, and says so, is not believed", arguments: [1, 99])
        func shortAnswer(_ times: Int) async throws {
            try await withFaults { bucket, proxy async throws in
                let folder = try Folder()
                let bytes = SampleFile.bytes((11 << 20) + 1)
                try await bucket.client.putObject(bucket.object("a"), .bytes(bytes))
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "GetObject", "first": \(times)},
                          "action": {"do": "truncate", "bytes": 1000, "length": "truncated"}}]
                        """)
                if times > 1 {
                    let error = await #expect(throws: S3Error.self) {
                        try await bucket.transfers().download(bucket.object("a"), to: folder.file("b"))
                    }
                    #expect(error?.kind == .integrity)
                    try await proxy.reset()
                }
                _ = try await bucket.transfers().download(bucket.object("a"), to: folder.file("b"))
                #expect(try folder.bytes(of: "b") == bytes)
            }
        }

        @Test(
            "An answer that is lost after the server did it",
            arguments: [
                "PutObject", "CompleteMultipartUpload", "DeleteObject", "DeleteObjects", "CopyObject", "UploadPart",
            ],
            ["rst", "fin"])
        func lostAnswer(_ operation: String, _ how: String) async throws {
            let fault = PassingFault(
                name: operation, action: "{\"do\": \"lose_answer\", \"how\": \"\(how)\"}", times: 1)
            try await withFaults { bucket, proxy async throws in
                _ = try await bucket.put("there", "text")
                _ = try await bucket.put("there too", "text")
                try await proxy.set(rules: fault.rule(operation))
                let file = try Folder().sample((6 << 20) + 1)
                try await bucket.client.putObject(bucket.object("put"), .bytes(file.bytes))
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("upload"))
                #expect(outcome.proof == .etag)
                _ = try await bucket.client.copyObject(from: bucket.object("there"), to: bucket.object("copy"))
                try await bucket.client.deleteObject(bucket.object("there"))
                _ = try await bucket.client.deleteObjects(in: bucket.name, [ObjectVersion("there too")])
                #expect(try await bucket.keys() == ["copy", "put", "upload"])
                #expect(try await bucket.read("put") == file.bytes)
                #expect(try await bucket.read("upload") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
                #expect(try await proxy.state().operations[operation]?.cut == 1)
            }
        }

        @Test("The answer to Complete is lost again and again, and the server's memory of it is short")
        func completeIsLost() async throws {
            try await withFaults(on: .minio) { bucket, proxy async throws in
                let file = try Folder().sample((6 << 20) + 1)
                try await proxy.set(
                    rules:
                        #"[{"match": {"operation": "CompleteMultipartUpload", "first": 3}, "action": {"do": "lose_answer"}}]"#
                )
                let outcome = try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                #expect(outcome.proof == .etag)
                #expect(try await proxy.requests("CompleteMultipartUpload") == 1)
                #expect(try await bucket.read("a") == file.bytes)
            }
        }

        @Test(
            "A failure that comes with status 200",
            arguments: ["CompleteMultipartUpload", "CopyObject", "UploadPartCopy"],
            [
                #"{"do": "error_in_200", "code": "InternalError", "message": "We encountered an internal error.", "spaces": 80}"#,
                #"{"do": "error_in_200", "code": "SlowDown", "message": "", "forward": true}"#,
                #"{"do": "empty", "status": 200}"#, #"{"do": "truncate", "bytes": 60, "length": "truncated"}"#,
            ])
        func hiddenError(_ operation: String, _ action: String) async throws {
            let fault = PassingFault(name: action, action: action, times: 2)
            try await withFaults(configuring: { $0.profile.largestCopy = 6 << 20 }) { bucket, proxy async throws in
                let file = try Folder().sample((11 << 20) + 1)
                try await proxy.set(rules: fault.rule(operation))
                _ = try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                #expect(try await bucket.read("a") == file.bytes)
                _ = try await bucket.transfers().copy(
                    bucket.object("a"), size: Int64(file.bytes.count), to: bucket.object("b"))
                #expect(try await bucket.read("b") == file.bytes)
                _ = try await bucket.client.copyObject(from: bucket.object("a"), to: bucket.object("c"))
                #expect(try await bucket.read("c") == file.bytes)
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
                #expect((try await proxy.state().operations[operation]?.faulted ?? 0) >= 1)
            }
        }

        @Test("A failure with status 200 that lasts is a failure")
        func lastingHiddenError() async throws {
            try await withFaults { bucket, proxy async throws in
                let file = try Folder().sample((6 << 20) + 1)
                try await proxy.set(
                    rules: """
                        [{"match": {"operation": "CompleteMultipartUpload"},
                          "action": {"do": "error_in_200", "code": "AccessDenied", "message": "not any more"}}]
                        """)
                let error = await #expect(throws: S3Error.self) {
                    try await bucket.transfers().upload(file.path, to: bucket.object("a"))
                }
                #expect(error?.code == "AccessDenied")
                #expect(error?.message == "not any more")
                #expect(try await bucket.keys() == [])
                #expect(try await bucket.client.listMultipartUploads(in: bucket.name) == [])
            }
        }

        @Test("A server that is down for good: the failure says what, and an upload's session stays")
        func down() async throws {
            try await withFaults(configuring: { $0.retry.attempts = 3 }) { bucket, proxy async throws in
                try await proxy.set(
                    rules:
                        #"[{"match": {}, "action": {"do": "status", "status": 503, "code": "SlowDown", "message": "later"}}]"#
                )
                let error = await #expect(throws: S3Error.self) { try await bucket.put("a", "text") }
                #expect(error?.code == "SlowDown")
                #expect(try await proxy.requests("PutObject") == 3)
                #expect(error?.description.hasPrefix("PutObject \(bucket.name)/a: SlowDown (HTTP 503): later") == true)
            }
        }
    }
}
