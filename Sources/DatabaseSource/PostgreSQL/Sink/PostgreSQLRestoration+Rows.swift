internal import BackupCore

extension PostgreSQLRestoration {
    /// Begins a table of the archive.
    func loader(forTable name: String, description: TableDescription?) throws(BackupError) -> any TableLoader {
        if name.isExactly(PostgreSQLLargeObjects.name.archiveKey), plan.restoresLargeObjects {
            let columns = PostgreSQLLargeObjects.description.columns.map {
                PostgreSQLRowDecoder.Column(
                    name: $0.name, encoding: $0.encoding, isInteger: false, takesBytes: $0.encoding == .bytes)
            }
            return add(
                PostgreSQLRowDecoder(table: name, columns: columns), copy: PostgreSQLLargeObjectLoader.copyIn,
                to: session)
        }
        guard plan.isWanted(name) else { return add(PostgreSQLRowDecoder(table: name, columns: []), copy: nil) }
        guard var table = targets[PostgreSQLName(archiveKey: name)] else {
            throw BackupError(.target, "the target has no table \"\(name)\"; create it, or leave it out with --tables")
        }
        let columns = description.map { known(columns: $0, of: table) } ?? foreign(columnsOf: table)
        let written = columns.filter(\.isWritten).map(\.name)
        if rehearsal != nil || newIDs != nil { try session.finish() }
        if let rehearsal {
            table = try rehearsal.copy(of: table)
            targets[table.name] = table
        }
        let copy = try newIDs?.wait(for: table, columns: written) ?? table.copyIn(written, freeze: freezes)
        return add(PostgreSQLRowDecoder(table: name, columns: columns), copy: copy)
    }

    /// Whether tables are made in the transaction that fills them, so that nobody else can see their rows.
    private var freezes: Bool {
        if case .transaction = way { plan.isWhole } else { false }
    }

    private func add(
        _ decoder: PostgreSQLRowDecoder, copy: String?, to session: PostgreSQLCopySession? = nil
    ) -> PostgreSQLTableLoader {
        let loader = PostgreSQLTableLoader(decoder: decoder, copy: copy, sink: session ?? sink)
        loaders.append(loader)
        return loader
    }

    private func known(
        columns description: TableDescription, of table: PostgreSQLTable
    ) -> [PostgreSQLRowDecoder.Column] {
        var columns: [PostgreSQLRowDecoder.Column] = []
        if let key = description.rowidKey {
            columns.append(
                PostgreSQLRowDecoder.Column(name: key, encoding: .value, isInteger: true, isWritten: false))
        }
        return columns
            + description.columns.map { column in
                let own = table.columns.first { $0.name.isExactly(column.name) }
                return PostgreSQLRowDecoder.Column(
                    name: column.name, encoding: column.encoding, isInteger: own?.form == .number,
                    takesBytes: own?.form == .bytes, takesAnyText: connection.serverEncoding == "SQL_ASCII")
            }
    }

    private func foreign(columnsOf table: PostgreSQLTable) -> [PostgreSQLRowDecoder.Column] {
        table.columns.map { column in
            PostgreSQLRowDecoder.Column(
                name: column.name, encoding: column.encoding, isInteger: column.form == .number, isForeign: true)
        }
    }
}

extension PostgreSQLTable {
    /// - Parameter freeze: whether the table was made in the same transaction, so that nobody else can see its rows.
    func copyIn(_ columns: [String], freeze: Bool) -> String {
        let list = columns.map { PostgreSQLName.quote($0) }.joined(separator: ", ")
        return "COPY \(quoted)\(columns.isEmpty ? "" : " (\(list))") FROM STDIN\(freeze ? " (FREEZE)" : "")"
    }
}
