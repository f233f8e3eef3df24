internal import BackupCore
internal import FoundationEssentials

/// What an archive keeps of a PostgreSQL database besides rows (`docs/archive-format.md`, "Definitions of PostgreSQL").
struct PostgreSQLDefinitions: Codable {
    struct Sequence: Codable {
        var schema: String
        var name: String
        var lastValue: Int64
        var isCalled: Bool
    }

    struct View: Codable {
        var schema: String
        var name: String
    }

    struct Grant: Codable {
        /// Empty for everybody.
        var role: String
        /// `SELECT`, `CONNECT`, …
        var privilege: String
        var isGrantable: Bool
    }

    struct LargeObject: Codable {
        var oid: UInt32
        var owner: String
        /// Nil where the owner's own rights are all there are.
        var grants: [Grant]?
        var comment: String?
    }

    /// The server's encoding.
    var encoding: String
    /// The version of the pg_dump that wrote the definitions; nil where there was none, and then there are none.
    var pgDump: String?
    var preData: String?
    var postData: String?
    /// Roles and tablespaces of the server, without passwords; nil where they could not be read.
    var globals: String?
    /// Nil in archives of before it was stored.
    var database: PostgreSQLDatabase?
    /// The state of every sequence.
    var sequences: [Sequence]
    /// The materialised views that held rows, in the order in which they can be refreshed.
    var materializedViews: [View]
    var largeObjects: [LargeObject]

    private enum CodingKeys: String, CodingKey {
        case encoding, globals, database, sequences
        case pgDump = "pg_dump"
        case preData = "pre_data"
        case postData = "post_data"
        case materializedViews = "materialized_views"
        case largeObjects = "large_objects"
    }

    func encoded() throws(BackupError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw BackupError(.internal, "the schema cannot be written as JSON: \(error)")
        }
    }

    init(decoding bytes: [UInt8]) throws(BackupError) {
        do {
            self = try JSONDecoder().decode(PostgreSQLDefinitions.self, from: Data(bytes))
        } catch {
            throw BackupError(.damaged, "the archive's schema is not one that this version can read: \(error)")
        }
    }

    init(
        encoding: String, dump: PostgreSQLSchemaDump?, globals: String?, database: PostgreSQLDatabase,
        sequences: [Sequence], materializedViews: [View], largeObjects: [LargeObject]
    ) {
        self.encoding = encoding
        pgDump = dump?.version
        preData = dump?.preData
        postData = dump?.postData
        self.globals = globals
        self.database = database
        self.sequences = sequences
        self.materializedViews = materializedViews
        self.largeObjects = largeObjects
    }
}
