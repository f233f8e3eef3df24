package import BackupCore
internal import Foundation

/// Who wrote an archive.
package struct ArchiveGenerator: Sendable, Codable, Equatable {
    /// `elder-backup`.
    package var name: String
    /// The version of the program.
    package var version: String
    /// The version of what this program adds to Elder's format: 1.
    package var format: Int
    /// The installation that made it; nothing of another installation is ever deleted.
    package var installation: String
    /// The job's UUID.
    package var job: String

    package static let programName = "elder-backup"
    package static let currentFormat = 1

    package init(version: String, installation: String, job: String) {
        name = ArchiveGenerator.programName
        self.version = version
        format = ArchiveGenerator.currentFormat
        self.installation = installation
        self.job = job
    }
}

/// Everything in an archive that stands in front of the tables.
package struct ArchiveHeader: Sendable {
    /// Elder's format version.
    package static let elderVersion = "1.2.0"

    package var version: String
    package var timestamp: Timestamp?
    package var jobID: Int64?
    package var jobName: String?
    /// Nil for what Elder wrote.
    package var generator: ArchiveGenerator?
    /// The source's description, as one JSON value; nil for what Elder wrote.
    package var source: [UInt8]?
    package var tables: [TableDescription]
    /// The ledger, as one JSON value; nil for what Elder wrote.
    package var ledger: [UInt8]?
    /// The engine's own definitions, as one JSON object; nil for what Elder wrote.
    package var definitions: [UInt8]?

    package init(
        timestamp: Timestamp, jobID: Int64, jobName: String, generator: ArchiveGenerator, source: [UInt8],
        tables: [TableDescription], ledger: [UInt8], definitions: [UInt8]
    ) {
        version = ArchiveHeader.elderVersion
        self.timestamp = timestamp
        self.jobID = jobID
        self.jobName = jobName
        self.generator = generator
        self.source = source
        self.tables = tables
        self.ledger = ledger
        self.definitions = definitions
    }

    /// A header that knows nothing but what Elder's format demands.
    init(version: String) {
        self.version = version
        tables = []
    }
}

extension ArchiveHeader {
    /// The members of the top-level object that a manifest repeats: one a line, each ending with a comma.
    func identityLines() throws -> [UInt8] {
        var text: [UInt8] = []
        func line(_ key: String, _ value: [UInt8]) {
            JSONBuilder.append(string: key, to: &text)
            text += Array(": ".utf8) + value + Array(",\n".utf8)
        }
        line("version", JSONBuilder.string(version))
        if let timestamp { line("timestamp", JSONBuilder.string(timestamp.iso8601)) }
        if let jobID { line("job_id", Array(String(jobID).utf8)) }
        if let jobName { line("job_name", JSONBuilder.string(jobName)) }
        if let generator { line("generator", try JSONValue.encode(generator)) }
        if let source { line("source", source) }
        return text
    }

    /// The archive's text up to the opening brace of `tables`.
    func preamble() throws -> [UInt8] {
        var text = Array("{\n".utf8)
        text += try identityLines()
        text += Array("\"schema\": {\n\"tables\": [".utf8)
        for (index, table) in tables.enumerated() {
            text += Array((index == 0 ? "\n" : ",\n").utf8)
            text += try JSONValue.encode(table)
        }
        text += Array("\n],\n\"ledger\": ".utf8) + (ledger ?? Array("[]".utf8))
        text += Array(",\n\"definitions\": ".utf8) + (definitions ?? Array("{}".utf8))
        text += Array("\n},\n\"tables\": {".utf8)
        return text
    }

    /// Reads what ``preamble()`` wrote.
    init(preamble: [UInt8]) throws {
        let top = try JSONSlices(object: preamble + Array("}}".utf8))
        guard top.members.last?.key == "tables" else {
            throw BackupError(.damaged, "the part in front of the tables does not end where they begin")
        }
        try self.init(topLevel: top)
    }

    /// Reads the top-level members other than `tables`; those that Elder does not write may be missing.
    init(topLevel top: JSONSlices) throws {
        guard let version = top["version"].flatMap(JSONSlices.string) else {
            throw BackupError(.damaged, "the key \"version\" is missing: this is not a backup")
        }
        self.init(version: version)
        timestamp = top["timestamp"].flatMap(JSONSlices.string).flatMap { Timestamp($0) }
        jobID = top["job_id"].flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        jobName = top["job_name"].flatMap(JSONSlices.string)
        if let value = top["generator"] { generator = try JSONValue.decode(ArchiveGenerator.self, value) }
        source = top["source"]
        if generator != nil, let value = top["schema"] {
            let schema = try JSONSlices(object: value)
            tables = try JSONValue.decode([TableDescription].self, schema["tables"] ?? Array("[]".utf8))
            ledger = schema["ledger"]
            definitions = schema["definitions"]
        }
        if let generator, generator.format > ArchiveGenerator.currentFormat {
            throw BackupError(
                .unsupported,
                "the archive has format \(generator.format), written by \(generator.name) \(generator.version); "
                    + "this program reads up to format \(ArchiveGenerator.currentFormat): use a newer one")
        }
    }
}

/// Codable values as compact JSON with sorted keys, so that equal values give equal bytes.
package enum JSONValue {
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, _ text: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text))
        } catch {
            throw BackupError(.damaged, "a part of the archive's description cannot be read as \(type)")
        }
    }
}
