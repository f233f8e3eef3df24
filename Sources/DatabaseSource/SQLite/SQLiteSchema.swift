/// A SQLite database's structure as an archive keeps it (`schema.definitions` in `docs/archive-format.md`).
struct SQLiteSchema: Codable, Equatable {
    /// One row of `sqlite_schema` (https://sqlite.org/schematab.html).
    struct Object: Codable, Equatable {
        enum Kind: String, Codable {
            /// An ordinary table.
            case table
            /// A virtual table: defined here, its content lies in its shadow tables.
            case virtualTable = "virtual_table"
            /// A table that a virtual table keeps its content in.
            case shadowTable = "shadow_table"
            /// A table of SQLite's own: `sqlite_sequence`, `sqlite_stat1`.
            case internalTable = "internal_table"
            case index
            case view
            case trigger
        }

        var kind: Kind
        var name: String
        /// The table that an index or trigger belongs to; the object's own name for tables and views.
        var table: String
        /// The definition; nil for an index that SQLite made by itself.
        var sql: String?
        /// The virtual table that a shadow table belongs to.
        var owner: String?
        /// The module of a virtual table.
        var module: String?
    }

    /// `UTF-8`, `UTF-16le` or `UTF-16be`.
    var encoding: String
    /// In bytes.
    var pageSize: Int
    /// 0 none, 1 full, 2 incremental.
    var autoVacuum: Int
    var userVersion: Int
    var applicationID: Int
    /// `wal`, or the rollback journal's default `delete`.
    var journalMode: String
    /// Bytes reserved at the end of each page.
    var reservedBytes: Int
    /// The suggested cache size of the header (`PRAGMA default_cache_size`), in pages; 0 where the header has none.
    var defaultCacheSize: Int
    /// All of `sqlite_schema`, in the order of its rows.
    var objects: [Object]

    private enum CodingKeys: String, CodingKey {
        case encoding, objects
        case pageSize = "page_size"
        case autoVacuum = "auto_vacuum"
        case userVersion = "user_version"
        case applicationID = "application_id"
        case journalMode = "journal_mode"
        case reservedBytes = "reserved_bytes"
        case defaultCacheSize = "default_cache_size"
    }
}
