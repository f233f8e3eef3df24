internal import BackupCore
internal import CLibpq

extension PostgreSQLConnection {
    /// Begins `COPY … TO STDOUT`.
    func beginCopyOut(_ sql: String) throws(BackupError) {
        try beginCopy(sql, PGRES_COPY_OUT)
    }

    /// Reads the next row, or what is left of it, into `bytes`; as much as `capacity` holds of it. What is shorter than
    /// that is the end of a row. Waits for the server.
    ///
    /// - Returns: the length of what was read; nil behind the last row, and then the statement is over.
    @inline(__always)
    func readCopy(into bytes: UnsafeMutablePointer<UInt8>, _ capacity: Int) throws(BackupError) -> Int? {
        while true {
            // PQgetCopyData would allocate each row anew.
            let count = PQgetlineAsync(
                handle, UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: CChar.self), Int32(clamping: capacity))
            if count > 0 { return Int(count) }
            guard count == 0 else {
                _ = try endCopy()
                return nil
            }
            try wait(forWriting: false)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    /// Begins `COPY … FROM STDIN`.
    func beginCopyIn(_ sql: String) throws(BackupError) {
        try beginCopy(sql, PGRES_COPY_IN)
    }

    private func beginCopy(_ sql: String, _ expected: ExecStatusType) throws(BackupError) {
        try send(sql)
        guard let result = try nextResult() else { throw lost() }
        guard result.status == expected else {
            let error = error(of: result)
            while try nextResult() != nil {}
            throw error
        }
    }

    /// Sends a part of the rows. Where the server has refused one, that shows at ``finishCopyIn()``.
    func putCopy(_ bytes: UnsafeRawPointer, _ count: Int) throws(BackupError) {
        var done = 0
        while done < count {
            // libpq would grow its buffer by what is given at once.
            let part = min(count - done, 256 * 1024)
            guard PQputCopyData(handle, (bytes + done).assumingMemoryBound(to: CChar.self), Int32(part)) == 1 else {
                throw copyFailure()
            }
            done += part
        }
    }

    /// Ends the rows, and returns how many the server has taken.
    func finishCopyIn() throws(BackupError) -> Int64 {
        guard PQputCopyEnd(handle, nil) == 1 else { throw copyFailure() }
        return try endCopy()
    }

    private func endCopy() throws(BackupError) -> Int64 {
        var rows: Int64 = 0
        var failure: BackupError?
        while let result = try nextResult() {
            if result.status == PGRES_COMMAND_OK {
                rows = result.affectedRows ?? 0
            } else {
                failure = failure ?? error(of: result)
            }
        }
        if let failure { throw failure }
        return rows
    }

    /// The server's own words where it has sent some before the connection went.
    private func copyFailure() -> BackupError {
        do throws(BackupError) {
            _ = try endCopy()
            return lost()
        } catch {
            return error
        }
    }
}
