internal import BackupCore
internal import CLibpq

/// What PostgreSQL says of a failure as an error of this program: one line, what to do next, nothing secret.
///
/// The fields of an error (https://www.postgresql.org/docs/current/protocol-error-fields.html): `C` SQLSTATE, `M` the
/// message, `D` detail, `H` hint, `W` context, `s` schema, `t` table, `c` column, `n` constraint.
enum PostgreSQLFailure {
    /// A server's error.
    static func error(_ result: PostgreSQLResult, _ connection: PostgreSQLConnection) -> BackupError {
        let state = result.field("C") ?? ""
        var words = line(result.field("M") ?? "unknown error")
        if let detail = result.field("D") { words += " (\(line(detail)))" }
        // Which row and column of a COPY.
        let context = result.field("W")?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("COPY ") }
        if let context { words += ", \(context.prefix(160))" }
        let advice = advice(state, result, connection).map { "; " + $0 } ?? ""
        return BackupError(
            code(state, connection.purpose),
            "PostgreSQL: \(words)\(state.isEmpty ? "" : " [\(state)]")\(advice)",
            isTransient: isRecoveryConflict(state, connection))
    }

    /// Whether a standby ended a query that was in the way of what it had to replay. A transaction that only reads is
    /// never ended so by a primary (https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT).
    private static func isRecoveryConflict(_ state: String, _ connection: PostgreSQLConnection) -> Bool {
        connection.purpose == .source && connection.isStandby && ["40001", "40P01"].contains(state)
    }

    /// What helps against such ends.
    static let standbyAdvice =
        "the standby had to replay what its primary did: set hot_standby_feedback = on there, raise "
        + "max_standby_streaming_delay (for archived WAL max_standby_archive_delay), or back up the primary"

    /// Nobody answers, or answers that this user may not.
    static func connecting(
        _ handle: OpaquePointer, _ address: PostgreSQLAddress, _ purpose: PostgreSQLConnection.Purpose
    ) -> BackupError {
        let words = line(PQerrorMessage(handle).map { String(cString: $0) } ?? "")
        var advice = "is the server up, and are host, port and database right?"
        if PQconnectionNeedsPassword(handle) == 1 {
            advice = "give the password in the address, in PGPASSWORD or in ~/.pgpass"
        } else if words.contains("authentication failed") {
            advice = "check user and password"
        } else if words.contains("does not exist") {
            advice = "check the names in the address"
        }
        return BackupError(
            purpose.errorCode, "cannot connect to \(address.redacted): \(safe(words, handle)); \(advice)")
    }

    /// The connection was cut.
    static func lost(_ handle: OpaquePointer, _ connection: PostgreSQLConnection) -> BackupError {
        let words = line(PQerrorMessage(handle).map { String(cString: $0) } ?? "")
        // A session that waits between two statements is not told, but ended.
        let isStandby = connection.purpose == .source && connection.isStandby
        let advice =
            isStandby ? "perhaps \(standbyAdvice); else look at its log" : "look at the server's log and run again"
        return BackupError(
            connection.purpose.errorCode,
            "the connection to \(connection.address.redacted) was lost: "
                + "\(words.isEmpty ? "the server closed it" : safe(words, handle)); \(advice)",
            isTransient: isStandby)
    }

    /// No message of libpq is known to hold a password; should one, it does not leave here.
    private static func safe(_ words: String, _ handle: OpaquePointer) -> String {
        guard let password = PQpass(handle).map({ String(cString: $0) }), password.utf8.count > 3,
            let range = words.firstRange(of: password)
        else { return words }
        return words.replacingCharacters(of: range)
    }

    /// Several lines as one, without the words that libpq puts in front.
    static func line(_ text: String) -> String {
        let parts = text.split(whereSeparator: \.isNewline).map { part in
            part.drop { $0 == " " || $0 == "\t" }
        }
        return parts.joined(separator: " ")
    }

    private static func code(_ state: String, _ purpose: PostgreSQLConnection.Purpose) -> BackupError.Code {
        switch state {
        case "53100", "53200": .storage
        case "54000" where purpose == .source, "0A000" where purpose == .source: .unsupported
        default: purpose.errorCode
        }
    }

    private static func advice(
        _ state: String, _ result: PostgreSQLResult, _ connection: PostgreSQLConnection
    ) -> String? {
        let isSource = connection.purpose == .source
        let user = connection.userName
        switch state {
        case "42501" where result.field("M")?.contains("large object") == true:
            return "GRANT SELECT ON LARGE OBJECT … TO \(user), or back up as a superuser"
        case "42501":
            if result.field("M")?.contains("row-level security") == true {
                return "rows would be missing: back up as the table's owner or as a role with BYPASSRLS, or exclude it"
            }
            return isSource
                ? "GRANT SELECT on it, or GRANT pg_read_all_data, TO \(user)"
                : "restore as the owner of the tables or as a superuser (the role is \(user))"
        case "55P03": return "another session holds a lock; wait longer with BACKUP_LOCK_TIMEOUT, or run again"
        case "57014":
            if let advice = connection.timeoutAdvice { return advice }
            return connection.limitsStatements
                ? "raise BACKUP_STATEMENT_TIMEOUT, or run at a quieter time"
                : "somebody cancelled it on the server; run again"
        case "57P01", "57P02", "57P03": return "the server was shut down; run again when it is up"
        case "40001", "40P01": return isRecoveryConflict(state, connection) ? standbyAdvice : "run again"
        case "53100": return "free some space on the server and run again"
        case "53200":
            return result.field("H")?.contains("max_locks_per_transaction") == true
                ? "raise max_locks_per_transaction on the server" : nil
        case "22P05": return "create the target with the encoding UTF8"
        case "53300": return "free a connection, or raise max_connections"
        case "42704" where result.field("M")?.hasPrefix("role ") == true:
            return "create that role on the target, or restore with --no-owner"
        case "0A000", "58P01":
            return result.field("M")?.contains("extension") == true
                ? "install that extension on the target's server" : nil
        default: return result.field("H").map(line)
        }
    }
}

extension String {
    fileprivate func replacingCharacters(of range: Range<String.Index>) -> String {
        String(self[..<range.lowerBound]) + "…" + String(self[range.upperBound...])
    }
}
