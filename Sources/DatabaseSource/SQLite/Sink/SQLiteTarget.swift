package import BackupCore
internal import FoundationEssentials
internal import Glibc

/// Restores into a SQLite database (`docs/restore.md`): into a file that does not exist yet, with its whole schema, or
/// into the tables of one that does.
package final class SQLiteTarget: RestoreTarget {
    private let path: String
    private var restoration: (any SQLiteRestoration)?
    private var descriptions: [TableDescription] = []
    private var provesRows = true
    private var isOver = false

    package init(path: String) {
        self.path = path
    }

    deinit { rollback() }

    package func prepare(_ contents: ArchiveContents, options: RestoreOptions) throws {
        guard restoration == nil, !isOver else {
            throw BackupError(.internal, "a restore target was prepared twice")
        }
        guard options.jobs == 1 else {
            throw BackupError(
                .usage, "--jobs is for PostgreSQL: one connection at a time writes to SQLite; leave it out")
        }
        let restoration = try choose(contents, options)
        self.restoration = restoration
        descriptions = contents.schema?.tables ?? []
        provesRows = contents.source?.engine == "sqlite" && !options.regenerateIDs
        do {
            try restoration.begin()
        } catch {
            rollback()
            throw error
        }
    }

    /// Those chosen, those that chosen virtual tables consist of, and the table of counters.
    package var tablesToLoad: Set<ExactName>? { restoration?.tablesToLoad }

    private func choose(_ contents: ArchiveContents, _ options: RestoreOptions) throws -> any SQLiteRestoration {
        var status = stat()
        if stat(path, &status) != 0 {
            guard errno == ENOENT else { throw BackupError.system(.target, "open", path: path, errno: errno) }
            try refuseDanglingLink()
            return try newFile(contents, options)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw BackupError(.target, "\(path) is not a file; give the path of a database")
        }
        return try SQLiteExistingDatabase(
            path: path, isEmptyFile: status.st_size == 0, contents: contents,
            definitions: try definitions(contents, options),
            options: options)
    }

    /// A link to nowhere is a name that is taken: no new file could get it.
    private func refuseDanglingLink() throws(BackupError) {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(path, &target, target.count)
        guard length >= 0 else { return }
        throw BackupError(
            .target,
            "\(path) is a symbolic link to \(String(decoding: target[..<length], as: UTF8.self)), which does not exist; "
                + "give that path itself, or remove the link")
    }

    private func newFile(_ contents: ArchiveContents, _ options: RestoreOptions) throws -> any SQLiteRestoration {
        guard !options.dataOnly, !options.regenerateIDs else {
            let option = options.dataOnly ? "--data-only" : "--regenerate-ids"
            throw BackupError(.target, "\(path) does not exist, and \(option) restores into a database that does")
        }
        guard let schema = contents.schema, let definitions = try definitions(contents, options) else {
            throw BackupError(
                .target,
                "\(path) does not exist, and the archive holds no schema of SQLite to make it by; create the database "
                    + "with its tables first, and restore into it")
        }
        return try SQLiteNewFile(path: path, schema: definitions, tables: schema.tables, options: options)
    }

    /// The archive's own schema; nil where it holds none, or one of another engine.
    private func definitions(
        _ contents: ArchiveContents, _ options: RestoreOptions
    ) throws(BackupError) -> SQLiteSchema? {
        guard contents.source?.engine == "sqlite", let schema = contents.schema, !schema.definitions.isEmpty else {
            return nil
        }
        do {
            let recorded = try JSONDecoder().decode(SQLiteSchema.self, from: Data(schema.definitions))
            return SQLiteShadowTables.settled(recorded, trustSchema: options.trustSchema)
        } catch {
            throw BackupError(.damaged, "the archive's schema is not one that this version can read: \(error)")
        }
    }

    private func current() throws(BackupError) -> any SQLiteRestoration {
        guard let restoration else { throw BackupError(.internal, "a restore target was used before it was prepared") }
        return restoration
    }

    package var needsSurvey: Bool { restoration?.needsSurvey ?? false }

    package func endSurvey() throws { try current().endSurvey() }

    package func loader(forTable name: String, description: TableDescription?) throws -> any TableLoader {
        try current().loader(forTable: name, description: description)
    }

    package func finishLoading() throws -> LoadReport { try current().finishLoading() }

    package func proof() throws -> any DatabaseSnapshot {
        guard provesRows else {
            throw BackupError(
                .usage,
                "the target cannot be proven equal: rows with new ids, from an archive without schema or of another engine, "
                    + "are written otherwise")
        }
        let restoration = try current()
        let provable = restoration.provableTables
        return try SQLiteSnapshot(
            reading: restoration.connection, tables: descriptions.filter { provable.contains(ExactName($0.name)) })
    }

    @discardableResult
    package func commit() throws -> [String] {
        try current().commit()
        isOver = true
        restoration = nil
        return []
    }

    package func rollback() {
        isOver = true
        restoration?.rollback()
        restoration = nil
    }
}
