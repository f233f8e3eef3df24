internal import BackupCore
internal import CSQLite

/// The rows of the sample database, drawn from a generator with a fixed seed.
struct SQLiteDemoContent {
    private enum Value {
        case null
        case integer(Int)
        case real(Double)
        case text(String)
        case blob([UInt8])
    }

    private static let organizationCount = 14
    private static let entityCount = 1500
    private static let dependencyCount = 2400
    private static let issueCount = 800
    private static let commentCount = 1600
    private static let attachmentCount = 60

    private let connection: SQLiteConnection
    private var random = SplitMix64(state: 0x5EED)

    init(connection: SQLiteConnection) {
        self.connection = connection
    }

    mutating func insertAll() throws(BackupError) {
        try insertOrganizations()
        try insertEntities()
        try insertDependencies()
        try insertIssues()
        try insertLabels()
        try insertComments()
        try insertAttachments()
    }

    private mutating func insertOrganizations() throws(BackupError) {
        let names = [
            "Penguin Technologies", "O'Brien & Søns", "Fjällräven Hosting", "株式会社サンプル", "Müller \"Netz\" GmbH",
            "Ελληνικά Δίκτυα", "Crème Brûlée SARL", "Данные и Ко", "Ops 🐧 Team", "Ünïcode Ltd.", "שלום Networks",
            "Line\nBreak Inc.", "Tab\tSeparated LLC", "C:\\Windows\\Services",
        ]
        let insert = try connection.prepare(
            "INSERT INTO organizations (name, parent_id, settings, created_at) VALUES (?, ?, ?, ?)")
        for index in 0..<SQLiteDemoContent.organizationCount {
            let settings =
                #"{"theme": "\#(pick(["dark", "light"]))", "quota": \#(random.below(1000)), "beta": \#(flip())}"#
            try run(
                insert,
                [
                    .text(names[index % names.count]), index < 3 ? .null : .integer(1 + random.below(3)),
                    .text(settings), .text(moment()),
                ])
        }
    }

    private mutating func insertEntities() throws(BackupError) {
        let insert = try connection.prepare(
            """
            INSERT INTO entities (name, type, organization_id, attributes, monthly_cost, is_active, fingerprint,
                retired_on, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        let types = ["server", "database", "network", "application", "datacenter"]
        for index in 1...SQLiteDemoContent.entityCount {
            let type = pick(types)
            let site = pick(["Zürich", "São Paulo", "O'Hare", "東京", "Kraków"])
            let isActive = random.below(10) > 0
            let cost = "\(random.below(9000)).\(random.below(9))\(1 + random.below(9))"
            try run(
                insert,
                [
                    .text("\(type)-\(index) \(site)"), .text(type),
                    .integer(1 + random.below(SQLiteDemoContent.organizationCount)),
                    random.below(12) == 0 ? .null : .text(attributes(site: site)),
                    random.below(9) == 0 ? .null : .text(cost), .integer(isActive ? 1 : 0),
                    random.below(3) == 0 ? .null : .blob(bytes(20)), isActive ? .null : .text(day()), .text(moment()),
                ])
        }
    }

    private mutating func insertDependencies() throws(BackupError) {
        let insert = try connection.prepare(
            "INSERT OR IGNORE INTO dependencies (source_id, target_id, kind, weight) VALUES (?, ?, ?, ?)")
        for _ in 0..<SQLiteDemoContent.dependencyCount {
            let ends = [random.below(SQLiteDemoContent.entityCount), random.below(SQLiteDemoContent.entityCount)]
            try run(
                insert,
                [
                    .integer(1 + ends[0]), .integer(1 + ends[1]), .text(pick(["calls", "runs on", "stores in"])),
                    .real(Double(random.below(1_000_000)) / 7),
                ])
        }
    }

    private mutating func insertIssues() throws(BackupError) {
        let insert = try connection.prepare(
            """
            INSERT INTO issues (title, body, status, priority, entity_id, estimate_hours, due_on, created_at, closed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        for index in 1...SQLiteDemoContent.issueCount {
            let status = pick(["open", "open", "in progress", "closed"])
            let subject = pick(["disk full", "certificate expires", "latency", "Störung", "don't reboot", "backup?"])
            try run(
                insert,
                [
                    .text("#\(index): \(subject)"),
                    random.below(8) == 0 ? .null : .text(sentence(4 + random.below(40))),
                    .text(status), .integer(random.below(5)),
                    random.below(6) == 0 ? .null : .integer(1 + random.below(SQLiteDemoContent.entityCount)),
                    random.below(4) == 0 ? .null : .real(Double(random.below(400)) / 10),
                    random.below(2) == 0 ? .null : .text(day()), .text(moment()),
                    status == "closed" ? .text(moment()) : .null,
                ])
        }
    }

    private mutating func insertLabels() throws(BackupError) {
        let names = ["bug", "Security", "performance", "übernommen", "won't fix", "ドキュメント"]
        let label = try connection.prepare("INSERT INTO labels (name, color) VALUES (?, ?)")
        for name in names { try run(label, [.text(name), .text("#" + hexadecimal(bytes(3)))]) }
        let link = try connection.prepare("INSERT OR IGNORE INTO issue_labels (issue_id, label) VALUES (?, ?)")
        for _ in 0..<SQLiteDemoContent.issueCount {
            try run(link, [.integer(1 + random.below(SQLiteDemoContent.issueCount)), .text(pick(names))])
        }
    }

    private mutating func insertComments() throws(BackupError) {
        let insert = try connection.prepare(
            "INSERT INTO comments (issue_id, author, body, created_at) VALUES (?, ?, ?, ?)")
        for _ in 0..<SQLiteDemoContent.commentCount {
            try run(
                insert,
                [
                    .integer(1 + random.below(SQLiteDemoContent.issueCount)),
                    .text(pick(["ada", "grace", "linus", "José", "Zoë"])), .text(sentence(2 + random.below(25))),
                    .text(moment()),
                ])
        }
        // A gap at the end, so that the counter of AUTOINCREMENT says more than the rows do.
        try connection.execute("DELETE FROM comments WHERE id > \(SQLiteDemoContent.commentCount - 5)")
    }

    private mutating func insertAttachments() throws(BackupError) {
        let insert = try connection.prepare("INSERT INTO attachments (issue_id, filename, content) VALUES (?, ?, ?)")
        for index in 0..<SQLiteDemoContent.attachmentCount {
            // One is empty, one is larger than a page by far.
            let size = index == 0 ? 0 : index == 1 ? 200_000 : random.below(6000)
            try run(
                insert,
                [
                    .integer(1 + random.below(SQLiteDemoContent.issueCount)), .text("screenshot \(index).png"),
                    .blob(bytes(size)),
                ])
        }
    }

    private func run(_ statement: SQLiteStatement, _ values: [Value]) throws(BackupError) {
        // SQLite reads blobs where they lie until the statement is reset.
        var blobs: [UnsafeMutableBufferPointer<UInt8>] = []
        defer { for blob in blobs { blob.deallocate() } }
        for (offset, value) in values.enumerated() {
            let index = Int32(offset + 1)
            switch value {
            case .null: sqlite3_bind_null(statement.handle, index)
            case .integer(let number): statement.bind(Int64(number), at: index)
            case .real(let number): sqlite3_bind_double(statement.handle, index, number)
            case .text(let text): statement.bind(text, at: index)
            case .blob(let bytes):
                // Of one byte at least: a null pointer would bind NULL, not an empty blob.
                let blob = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count + 1)
                _ = blob.initialize(from: bytes + [0])
                blobs.append(blob)
                _ = eb_sqlite3_bind_blob_static(statement.handle, index, blob.baseAddress, UInt64(bytes.count))
            }
        }
        try statement.step()
        statement.reset()
    }
}

extension SQLiteDemoContent {
    /// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the system's generator would differ on every run.
    private struct SplitMix64 {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }

        mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    }

    private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[random.below(choices.count)] }

    private mutating func flip() -> Bool { random.below(2) == 0 }

    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(random.below(256)) } }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// In 2024 or 2025, to the microsecond.
    private mutating func moment() -> String {
        let start: Int64 = 1_704_067_200_000_000
        return Timestamp(
            microseconds: start + Int64(random.below(63_158_400)) * 1_000_000 + Int64(random.below(1_000_000))
        ).sql
    }

    private mutating func day() -> String { String(moment().prefix(10)) }

    private mutating func attributes(site: String) -> String {
        let address = "10.\(random.below(256)).\(random.below(256)).\(random.below(256))"
        let disks = (0..<random.below(4)).map { _ in "\(random.below(4000))" }.joined(separator: ", ")
        return
            #"{"ip": "\#(address)", "site": "\#(site)", "cores": \#(1 << random.below(7)), "disks_gb": [\#(disks)], "#
            + #""monitored": \#(flip()), "owner": null, "load": 0.\#(random.below(100))}"#
    }

    private mutating func sentence(_ count: Int) -> String {
        let words = [
            "server", "restart", "the", "network", "\"quoted\"", "isn't", "naïve", "über", "日本", "🚀", "queue", "full",
            "again", "after", "midnight", "50 %", "a\\b", "line\nbreak", "<tag>", "ok",
        ]
        return (0..<count).map { _ in pick(words) }.joined(separator: " ") + "."
    }
}
