import BackupCore
import BackupEngine
import BackupService
import Foundation
import NIOHTTP1
import Testing

@Suite("Limits on guessing and on asking")
struct LimitTests {
    private static let path = "/api/v1/backup"

    private static func guess(_ number: Int) -> String {
        "ebt_" + String(format: "%08d", number) + String(repeating: "A", count: 35)
    }

    @Test("After ten wrong tokens no other is looked at for a minute, but those that were good lately")
    func guessing() async throws {
        try await ServiceBench.with { bench in
            let known = try await bench.token(.viewer)
            let fresh = try await bench.token(.viewer)
            #expect(try await bench.ask(.GET, LimitTests.path, token: known).status == 200)
            for number in 0..<10 {
                #expect(try await bench.ask(.GET, LimitTests.path, token: LimitTests.guess(number)).status == 401)
            }
            for token in [LimitTests.guess(10), fresh, SignedToken().signed()] {
                let reply = try await bench.ask(.GET, LimitTests.path, token: token)
                #expect(reply.status == 401 && reply.json["code"] as? String == "too_many_requests")
                #expect((1...60).contains(Int(reply.headers.first(name: "Retry-After") ?? "") ?? 0))
            }
            #expect(try await bench.ask(.GET, LimitTests.path, token: known).status == 200)
            #expect(try await bench.ask(.GET, LimitTests.path).status == 401)
            #expect(try await bench.ask(.GET, "/health").status == 200)
        }
    }

    @Test("A token that has expired or is not let in is no guess")
    func noGuesses() async throws {
        try await ServiceBench.with { bench in
            let expired = SignedToken(expires: 1_000).signed()
            let other = SignedToken(subject: "8").signed()
            for _ in 0..<12 {
                let first = try await bench.ask(.GET, LimitTests.path, token: expired)
                let second = try await bench.ask(.GET, LimitTests.path, token: other)
                #expect(first.status == 401 && second.status == 403)
            }
        }
    }

    @Test("Guesses from many addresses at one token are counted together; each address has its own count")
    func addresses() async {
        let guess = SignInGuard(limit: 3)
        let now = ContinuousClock.now
        let head = "ebt_12345678"
        for number in 0..<3 {
            let attempt = SignInGuard.Attempt(token: head + "\(number)", address: "10.0.0.\(number)")
            #expect(await guess.wait(attempt, at: now) == nil)
            guess.failed(attempt, at: now)
        }
        let next = SignInGuard.Attempt(token: head + "9", address: "10.0.0.9")
        #expect(await guess.wait(next, at: now) == 60)
        #expect(await guess.wait(next, at: now + .seconds(59)) == 1)
        #expect(await guess.wait(next, at: now + .seconds(60)) == nil)
        #expect(await guess.wait(SignInGuard.Attempt(token: "ebt_other", address: "10.0.0.9"), at: now) == nil)
        // Of a JWT all but the signature.
        for number in 0..<3 {
            guess.failed(SignInGuard.Attempt(token: "a.b.\(number)", address: "1.1.1.\(number)"), at: now)
        }
        #expect(await guess.wait(SignInGuard.Attempt(token: "a.b.x", address: "2.2.2.2"), at: now) != nil)
        #expect(await guess.wait(SignInGuard.Attempt(token: "a.c.x", address: "2.2.2.2"), at: now) == nil)
    }

    @Test("Wrong tokens that come at once are looked at no more often than those that come one after the other")
    func guessingAtOnce() async throws {
        let guess = SignInGuard(limit: 10)
        let looks = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let attempt = SignInGuard.Attempt(token: LimitTests.guess(number), address: "10.0.0.1")
                    guard await guess.wait(attempt) == nil else { return false }
                    try? await Task.sleep(for: .milliseconds(5))
                    guess.failed(attempt)
                    return true
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(looks == 10)
        try await ServiceBench.with { bench in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await bench.ask(.GET, LimitTests.path, token: LimitTests.guess(number)).json["code"]
                            as? String
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == "unauthenticated" } == 10)
            #expect(codes.count { $0 == "too_many_requests" } == 190)
        }
    }

    @Test("Good tokens that come at once are not taken for guesses, nor is what could not be looked at")
    func goodAtOnce() async {
        let guess = SignInGuard(limit: 3)
        let passed = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let attempt = SignInGuard.Attempt(token: "good\(number)", address: "10.0.0.1")
                    guard await guess.wait(attempt) == nil else { return false }
                    try? await Task.sleep(for: .milliseconds(1))
                    number % 2 == 0 ? guess.succeeded(attempt) : guess.abandoned(attempt)
                    return true
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(passed == 50)
    }

    @Test("However many guess, the table stays small")
    func bounded() async {
        let guess = SignInGuard(limit: 2, capacity: 100)
        let now = ContinuousClock.now
        for number in 0..<10_000 {
            guess.failed(SignInGuard.Attempt(token: "t\(number)", address: "a\(number)"), at: now)
        }
        let last = SignInGuard.Attempt(token: "t9999", address: "a9999")
        guess.failed(last, at: now)
        #expect(await guess.wait(last, at: now) != nil)
        var table = BoundedTable<Int, Int>(capacity: 3)
        for number in 0..<10 { table[key: number] = number }
        #expect(table.count == 3 && table[key: 6] == nil && table[key: 7] == 7)
        table[key: 8] = nil
        table[key: 10] = 10
        table[key: 7] = 70
        #expect(table.count == 3 && table[key: 7] == 70)
        table[key: 11] = 11
        #expect(table[key: 7] == nil && table[key: 9] == 9 && table[key: 11] == 11)
    }

    @Test("A bucket gives a quarter of a minute's requests at once, and then one at a time")
    func rates() {
        let rates = RateLimiter(limit: 60)
        let now = ContinuousClock.now
        for _ in 0..<15 { #expect(rates.wait("a", at: now) == nil) }
        #expect(rates.wait("a", at: now) == 1 && rates.wait("b", at: now) == nil)
        #expect(rates.wait("a", at: now + .milliseconds(1_100)) == nil)
        #expect(rates.wait("a", at: now + .milliseconds(1_200)) == 1)
        for _ in 0..<15 { #expect(rates.wait("a", at: now + .seconds(3_600)) == nil) }
        #expect(rates.wait("a", at: now + .seconds(3_600)) != nil)
        let none = RateLimiter(limit: 0)
        for _ in 0..<10_000 { #expect(none.wait("a", at: now) == nil) }
    }

    @Test("Whoever asks too often is told so, and others are not held up")
    func flooding() async throws {
        try await ServiceBench.with(settings: { settings, _ in settings.rateLimit = 40 }) { bench in
            let (one, other) = (try await bench.token(.viewer), try await bench.token(.viewer))
            var statuses: [Int] = []
            // A machine that is busy answers more slowly than it gives leave: then it takes more of them.
            while statuses.count < 100, statuses.last != 429 {
                statuses.append(try await bench.ask(.GET, LimitTests.path, token: one).status)
            }
            #expect(statuses.prefix(10).allSatisfy { $0 == 200 } && statuses.contains(429), "\(statuses)")
            let reply = try await bench.ask(.GET, LimitTests.path, token: one)
            #expect(reply.status == 200 || reply.headers.first(name: "Retry-After") != nil)
            #expect(try await bench.ask(.GET, LimitTests.path, token: other).status == 200)
            // Without a token it is the address that counts.
            var open: [Int] = []
            while open.count < 100, open.last != 429 {
                open.append(try await bench.ask(.GET, LimitTests.path).status)
            }
            #expect(open.first == 401 && open.contains(429))
            #expect(try await bench.ask(.GET, LimitTests.path, token: other).status == 200)
        }
    }

    @Test("X-Forwarded-For is believed from trusted proxies alone, and from the right")
    func proxies() async throws {
        for (proxies, forwarded, expected) in [
            ([], "1.2.3.4", "127.0.0.1"), (["127.0.0.1"], "1.2.3.4", "1.2.3.4"),
            (["127.0.0.0/8"], "9.9.9.9, 1.2.3.4", "1.2.3.4"),
            (["127.0.0.0/8", "10.0.0.0/9"], "9.9.9.9, 1.2.3.4:80, 10.1.2.3", "1.2.3.4"),
            (["127.0.0.0/8", "10.0.0.0/9"], "1.2.3.4, 10.200.2.3", "10.200.2.3"),
            (["127.0.0.1"], "1.2.3.4, nonsense", "127.0.0.1"), (["127.0.0.1"], "[2001:db8::1]:80", "2001:db8::1"),
            (["127.0.0.1", "::/0"], "::ffff:1.2.3.4, 2001:db8::1", "1.2.3.4"), (["10.0.0.0/8"], "1.2.3.4", "127.0.0.1"),
        ] as [([String], String, String)] {
            try await ServiceBench.with(settings: { settings, _ in
                settings.trustedProxies = proxies.compactMap { AddressBlock($0) }
            }) { bench in
                let token = try await bench.token(.admin)
                _ = try await bench.ask(
                    .POST, LimitTests.path + "/jobs", token: token, body: #"{"name":"a"}"#,
                    headers: [("X-Forwarded-For", forwarded)])
                let entry = try await bench.engine.auditEntries(limit: 1).first
                #expect(entry?.address == expected, "\(proxies) \(forwarded)")
            }
        }
    }

    @Test("Addresses and blocks are read strictly")
    func blocks() {
        for text in ["10.0.0.0/8", "::/0", "1.2.3.4", "2001:db8::/32", "0.0.0.0/0"] {
            #expect(AddressBlock(text) != nil)
        }
        for text in [
            "", "10.0.0.0/33", "10.0.0/8", "::/129", "a", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "1.2.3.4/+8",
        ] { #expect(AddressBlock(text) == nil, "\(text)") }
    }
}
