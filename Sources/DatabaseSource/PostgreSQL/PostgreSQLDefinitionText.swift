package import BackupCore

/// Definitions of PostgreSQL as text that psql can run.
package enum PostgreSQLDefinitionText {
    /// - Throws: ``BackupError/Code/notFound`` where the archive does not hold that part.
    package static func text(of contents: ArchiveContents, _ part: DefinitionPart) throws(BackupError) -> String {
        guard contents.source?.engine == "postgresql", let schema = contents.schema, !schema.definitions.isEmpty
        else {
            throw BackupError(
                .notFound,
                "the archive holds no definitions of PostgreSQL\(contents.source.map { ": it is of \($0.engine)" } ?? "")"
            )
        }
        let definitions = try PostgreSQLDefinitions(decoding: schema.definitions)
        let text =
            switch part {
            case .globals: definitions.globals
            case .database: definitions.database?.script(encoding: definitions.encoding)
            case .preData: definitions.preData
            case .postData: definitions.postData
            }
        guard let text else {
            throw BackupError(
                .notFound,
                "the archive holds no \(part.rawValue): see its ledger (`elder-backup archive inspect`) for why")
        }
        return text
    }
}
