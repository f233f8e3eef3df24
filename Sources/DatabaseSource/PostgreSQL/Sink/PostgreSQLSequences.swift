internal import BackupCore

/// Sets sequences so that a rollback takes them back too: `setval` alone does not roll back, but behind ALTER SEQUENCE
/// it writes to what the transaction has made.
struct PostgreSQLSequences {
    let connection: PostgreSQLConnection

    /// Sets sequences that were made in this transaction.
    func restore(_ sequences: [PostgreSQLDefinitions.Sequence]) throws(BackupError) {
        for start in stride(from: 0, to: sequences.count, by: 100) {
            let part = sequences[start..<min(start + 100, sequences.count)].map { sequence in
                let name = PostgreSQLName(schema: sequence.schema, name: sequence.name).quoted
                return "setval(\(PostgreSQLName.literal(name))::regclass, \(sequence.lastValue), \(sequence.isCalled))"
            }
            try connection.execute("SELECT " + part.joined(separator: ", "))
        }
    }

    /// Sets those sequences of the archive that the target has; the names of the others, as warnings.
    func restoreThoseThere(_ sequences: [PostgreSQLDefinitions.Sequence]) throws(BackupError) -> [String] {
        var warnings: [String] = []
        for sequence in sequences {
            let name = PostgreSQLName(schema: sequence.schema, name: sequence.name)
            guard try connection.text("SELECT to_regclass(\(PostgreSQLName.literal(name.quoted)))") != nil else {
                warnings.append("the target has no sequence \"\(name.archiveKey)\": its state is not restored")
                continue
            }
            try connection.execute("ALTER SEQUENCE \(name.quoted) RESTART")
            try restore([sequence])
        }
        return warnings
    }

    /// Moves the sequences that belong to columns of tables behind the largest value that was loaded.
    func advance(_ tables: [PostgreSQLTable]) throws(BackupError) {
        guard !tables.isEmpty else { return }
        let owned = try connection.query(
            """
            SELECT n.nspname, s.relname, d.refobjid, a.attname
            FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
            JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE s.relkind = 'S' AND d.refobjid IN (\(tables.map { "\($0.oid)" }.joined(separator: ",")))
            """)
        let names = Dictionary(tables.map { ("\($0.oid)", $0.name) }, uniquingKeysWith: { first, _ in first })
        for row in 0..<owned.rowCount {
            guard let table = names[owned.value(row, 2)] else { continue }
            let column = PostgreSQLName.quote(owned.value(row, 3))
            let name = PostgreSQLName(schema: owned.value(row, 0), name: owned.value(row, 1))
            guard let largest = try connection.text("SELECT max(\(column)) FROM \(table.quoted)"), !largest.isEmpty
            else { continue }
            let state = try connection.query("SELECT last_value FROM \(name.quoted)")
            guard let value = Int64(largest), value >= state.integer(0, 0) ?? 0 else { continue }
            try connection.execute("ALTER SEQUENCE \(name.quoted) RESTART")
            try connection.execute("SELECT setval(\(PostgreSQLName.literal(name.quoted))::regclass, \(value))")
        }
    }
}
