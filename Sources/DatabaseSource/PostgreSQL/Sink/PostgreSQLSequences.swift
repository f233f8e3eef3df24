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

    /// Moves the sequences that give values to columns of tables, or of what these are partitions of, behind the largest
    /// value that was loaded.
    func advance(_ tables: [PostgreSQLTable]) throws(BackupError) {
        guard !tables.isEmpty else { return }
        let given = try connection.query(
            """
            WITH RECURSIVE chosen(oid) AS (
                SELECT oid FROM pg_class WHERE oid IN (\(tables.map { "\($0.oid)" }.joined(separator: ",")))
                UNION
                SELECT i.inhparent FROM chosen x JOIN pg_inherits i ON i.inhrelid = x.oid
            ), given(sequence, relation, column_number) AS (
                SELECT d.objid, d.refobjid, d.refobjsubid FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                  AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
                UNION
                SELECT d.refobjid, f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
                WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
            )
            SELECT n.nspname, s.relname, tn.nspname, t.relname, a.attname FROM given g
            JOIN pg_class s ON s.oid = g.sequence AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
            JOIN pg_class t ON t.oid = g.relation JOIN pg_namespace tn ON tn.oid = t.relnamespace
            JOIN pg_attribute a ON a.attrelid = g.relation AND a.attnum = g.column_number
            WHERE g.relation IN (SELECT oid FROM chosen) ORDER BY 1, 2, 3, 4, 5
            """)
        for row in 0..<given.rowCount {
            let name = PostgreSQLName(schema: given.value(row, 0), name: given.value(row, 1))
            let table = PostgreSQLName(schema: given.value(row, 2), name: given.value(row, 3))
            let column = PostgreSQLName.quote(given.value(row, 4))
            guard let largest = try connection.text("SELECT max(\(column)) FROM \(table.quoted)"), !largest.isEmpty
            else { continue }
            let state = try connection.query("SELECT last_value FROM \(name.quoted)")
            guard let value = Int64(largest), value >= state.integer(0, 0) ?? 0 else { continue }
            try connection.execute("ALTER SEQUENCE \(name.quoted) RESTART")
            try connection.execute("SELECT setval(\(PostgreSQLName.literal(name.quoted))::regclass, \(value))")
        }
    }
}
