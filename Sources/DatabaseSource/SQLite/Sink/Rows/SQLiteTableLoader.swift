internal import BackupCore
internal import CSQLite

/// Puts decoded rows into one table of a SQLite database.
///
/// `decode` touches nothing but the immutable decoder; everything else belongs to the session's thread.
final class SQLiteTableLoader: TableLoader, @unchecked Sendable {
    /// What is to happen to a table's rows.
    struct Plan {
        var table: SQLiteTargetTable
        /// The keys of the row objects, in order.
        var columns: [SQLiteRowDecoder.Column]
        /// The target's name for each key; nil where the value is not written.
        var targets: [String?]
        var isForeign: Bool
        var isUTF16: Bool
        /// For columns of another engine.
        var conversions: [SQLiteConversion] = []
        /// The keys whose values are looked at while surveying.
        var surveyColumns: [Int] = []
    }

    let decoder: SQLiteRowDecoder
    private let plan: Plan
    private let connection: SQLiteConnection
    private let statements: SQLiteInsertStatements
    /// The columns to whose whole numbers something is added (``SQLiteIDShift``); empty when to none.
    private var shifts: [(column: Int, offset: Int64)] = []
    /// Room for text that was shifted, one after the other as in ``shifts``.
    private var shiftedText = UnsafeMutablePointer<UInt8>.allocate(capacity: 0)
    /// What was found in ``Plan/surveyColumns``.
    private var surveys: [SQLiteColumnSurvey]
    private(set) var rowCount: Int64 = 0

    init(_ plan: Plan, on connection: SQLiteConnection) {
        self.plan = plan
        self.connection = connection
        decoder = SQLiteRowDecoder(
            table: plan.table.name, columns: plan.columns, isForeign: plan.isForeign, isUTF16: plan.isUTF16,
            conversions: plan.conversions)
        statements = SQLiteInsertStatements(table: plan.table.name, columns: plan.targets, on: connection)
        surveys = plan.surveyColumns.map { _ in SQLiteColumnSurvey() }
    }

    /// Gives the statements up, so that the connection can be closed although others still hold the loader.
    func finish() { statements.finish() }

    func makeBuffer() -> any DecodedRows { SQLiteDecodedRows(columnCount: plan.columns.count) }

    func decode(_ batch: RowBatch, into rows: any DecodedRows) throws {
        try decoder.decode(batch, into: try SQLiteTableLoader.own(rows))
    }

    static func own(_ rows: any DecodedRows) throws(BackupError) -> SQLiteDecodedRows {
        guard let rows = rows as? SQLiteDecodedRows else {
            throw BackupError(.internal, "rows decoded for another target came to a SQLite target")
        }
        return rows
    }

    func survey(_ rows: any DecodedRows) throws {
        guard !plan.surveyColumns.isEmpty else { return }
        let rows = try SQLiteTableLoader.own(rows)
        for index in 0..<rows.rowCount {
            let cells = rows.row(index)
            for (place, column) in plan.surveyColumns.enumerated() {
                surveys[place].note(cells[column], location: decoder.location(cells))
            }
        }
    }

    /// What the survey found, by the target's names of columns.
    var surveyed: [(column: String, survey: SQLiteColumnSurvey)] {
        zip(plan.surveyColumns, surveys).compactMap { column, survey in
            plan.targets[column].map { ($0, survey) }
        }
    }

    func load(_ rows: any DecodedRows) throws {
        let rows = try SQLiteTableLoader.own(rows)
        // What is bound points into memory that is used again for other rows.
        defer { statements.clearBindings() }
        for index in 0..<rows.rowCount {
            let cells = rows.row(index)
            if !shifts.isEmpty { try shift(cells) }
            let statement = try statements.statement(for: cells, isForeign: plan.isForeign)
            var status = bind(cells, to: statement)
            if status == SQLITE_OK {
                status = sqlite3_step(statement)
                if status == SQLITE_DONE {
                    sqlite3_reset(statement)
                    continue
                }
            }
            let error = refusal(status, cells)
            sqlite3_reset(statement)
            throw error
        }
        rowCount += Int64(rows.rowCount)
    }

    @inline(__always)
    private func bind(_ cells: UnsafeMutablePointer<SQLiteCell>, to statement: OpaquePointer) -> Int32 {
        let parameters = statements.parameters
        var status = SQLITE_OK
        for column in 0..<parameters.count where parameters[column] != 0 {
            let cell = cells[column]
            let parameter = parameters[column]
            switch cell.kind {
            case .integer: status |= sqlite3_bind_int64(statement, parameter, cell.integer)
            case .real: status |= sqlite3_bind_double(statement, parameter, cell.real)
            case .null, .absent: status |= sqlite3_bind_null(statement, parameter)
            case .text, .text16, .blob: status |= bindBytes(cell, parameter, statement)
            }
        }
        return status == SQLITE_OK ? SQLITE_OK : sqlite3_errcode(connection.handle)
    }

    @inline(__always)
    private func bindBytes(_ cell: SQLiteCell, _ parameter: Int32, _ statement: OpaquePointer) -> Int32 {
        guard let address = cell.address else { return SQLITE_MISUSE }
        let characters = UnsafeRawPointer(address).assumingMemoryBound(to: CChar.self)
        let length = UInt64(cell.length)
        switch cell.kind {
        case .text: return eb_sqlite3_bind_text_static(statement, parameter, characters, length)
        case .text16: return eb_sqlite3_bind_text16le_static(statement, parameter, characters, length)
        default: return eb_sqlite3_bind_blob_static(statement, parameter, address, length)
        }
    }

    private func shift(_ cells: UnsafeMutablePointer<SQLiteCell>) throws(BackupError) {
        for (place, shift) in shifts.enumerated() {
            let cell = cells + shift.column
            if cell.pointee.kind == .null || cell.pointee.kind == .absent { continue }
            let space = shiftedText + place * SQLiteWholeNumber.longestText
            guard SQLiteWholeNumber.add(shift.offset, to: &cell.pointee, space) else {
                throw BackupError(
                    .target,
                    "no new id for a value of \"\(plan.targets[shift.column] ?? "")\" fits; restore without "
                        + "--regenerate-ids into an empty database", location: decoder.location(cells))
            }
        }
    }

    /// The target's name for each key of the row objects; nil where the value is not written.
    var targets: [String?] { plan.targets }

    /// Sets what is added to the whole numbers of each column, once the survey is over.
    func setShifts(_ shifts: [Int64]) {
        self.shifts = shifts.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }
        shiftedText.deallocate()
        shiftedText = .allocate(capacity: self.shifts.count * SQLiteWholeNumber.longestText)
    }

    deinit { shiftedText.deallocate() }

    private func refusal(_ status: Int32, _ cells: UnsafeMutablePointer<SQLiteCell>) -> BackupError {
        var error = connection.error(status)
        if status & 0xFF == SQLITE_MISMATCH {
            error = BackupError(.target, "the target's integer key refuses the row: \(error.message)")
        } else if status & 0xFF == SQLITE_TOOBIG {
            error = BackupError(.target, "the row is larger than this SQLite accepts (1,000,000,000 bytes)")
        }
        return BackupError(error.code, error.message, location: decoder.location(cells) + error.location)
    }
}

/// The INSERT statements of one table: one for all columns, and where rows leave columns out, one for each such set.
final class SQLiteInsertStatements {
    /// For each key of the row objects the parameter of the statement last asked for; 0 where the value is not written.
    private(set) var parameters: [Int32] = []
    private let table: String
    private let columns: [String?]
    private let connection: SQLiteConnection
    private var current: OpaquePointer?
    private var present: [Bool] = []
    private var others: [[Bool]: (statement: OpaquePointer, parameters: [Int32])] = [:]

    init(table: String, columns: [String?], on connection: SQLiteConnection) {
        self.table = table
        self.columns = columns
        self.connection = connection
    }

    deinit { finish() }

    func finish() {
        for (_, other) in others { sqlite3_finalize(other.statement) }
        others = [:]
        current = nil
    }

    func clearBindings() {
        for (_, other) in others { sqlite3_clear_bindings(other.statement) }
    }

    @inline(__always)
    func statement(for cells: UnsafePointer<SQLiteCell>, isForeign: Bool) throws(BackupError) -> OpaquePointer {
        if let current, !isForeign || fits(cells) { return current }
        return try select(columns.indices.map { cells[$0].kind != .absent })
    }

    private func fits(_ cells: UnsafePointer<SQLiteCell>) -> Bool {
        for column in 0..<columns.count where present[column] != (cells[column].kind != .absent) { return false }
        return true
    }

    private func select(_ wanted: [Bool]) throws(BackupError) -> OpaquePointer {
        present = wanted
        if let known = others[wanted] {
            current = known.statement
            parameters = known.parameters
            return known.statement
        }
        var names: [String] = []
        var numbers: [Int32] = []
        for (column, isWanted) in zip(columns, wanted) {
            guard isWanted, let column else {
                numbers.append(0)
                continue
            }
            names.append(SQLiteConnection.quote(column))
            numbers.append(Int32(names.count))
        }
        // OR ABORT: a conflict clause of the table itself may drop or replace rows without a word.
        let start = "INSERT OR ABORT INTO main.\(SQLiteConnection.quote(table))"
        let marks = Array(repeating: "?", count: names.count).joined(separator: ",")
        let sql =
            names.isEmpty ? "\(start) DEFAULT VALUES" : "\(start)(\(names.joined(separator: ","))) VALUES(\(marks))"
        var handle: OpaquePointer?
        let status = sqlite3_prepare_v3(
            connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard status == SQLITE_OK, let handle else {
            throw connection.error(status).located("table \"\(table)\"")
        }
        others[wanted] = (handle, numbers)
        current = handle
        parameters = numbers
        return handle
    }
}
