internal import BackupCore
internal import BackupFiles
internal import Foundation

/// Turns newline-delimited JSON (`docs/export.md`) into the one object that a restore reads: a first line that may
/// describe the tables, then a line for each row, those of one table together.
struct LineConversion {
    private let input: InputFile
    private let output: OutputFile
    private let check: () throws -> Void
    private var opened: Set<ExactName> = []
    private var current: ExactName?
    private var rowCount = 0
    private var lineNumber = 0

    /// In bytes; what a row of an archive may have.
    private static let longestLine = 512 << 20
    private static let piece = 1 << 20

    /// - Parameter check: called now and then; throws where the conversion is to end.
    init(_ input: InputFile, to output: OutputFile, check: @escaping () throws -> Void) {
        self.input = input
        self.output = output
        self.check = check
    }

    /// - Throws: `damaged`, with the line's number.
    mutating func run() throws {
        guard try input.bytes(at: 0, count: 2) != [0x1F, 0x8B] else {
            throw BackupError(.damaged, "the file is compressed: lines are read as they are, so decompress it first")
        }
        let buffer = ExportBuffer { [output] in try output.write($0) }
        var described: [ExactName] = []
        var isEmpty = true
        try eachLine { line, conversion in
            let members = try conversion.members(of: line)
            if isEmpty {
                isEmpty = false
                buffer.append("{\"version\":\"1.2.0\"")
                if let description = members["export"] {
                    guard members["row"] == nil else { throw conversion.wrong("it has both \"export\" and \"row\"") }
                    described = try conversion.names(description)
                    buffer.append(",\"export\":")
                    buffer.append(description)
                    buffer.append(",\"tables\":{")
                    return
                }
                buffer.append(",\"tables\":{")
            }
            try conversion.write(members, to: buffer)
            try buffer.flushWhereFull()
        }
        guard !isEmpty else { throw BackupError(.damaged, "the file is empty") }
        if current != nil { buffer.append("]") }
        for name in described where !opened.contains(name) {
            open(name, in: buffer)
            buffer.append("]")
        }
        buffer.append("}}\n")
        try buffer.flush()
    }

    private mutating func write(_ members: JSONSlices, to buffer: ExportBuffer) throws {
        guard let table = members["table"].flatMap(JSONSlices.string), let row = members["row"],
            row.first == UInt8(ascii: "{"), members.members.count == 2
        else { throw wrong("it is not {\"table\":\"NAME\",\"row\":{…}}") }
        let name = ExactName(table)
        if current != name {
            guard !opened.contains(name) else {
                throw wrong("the rows of table \"\(table.prefix(80))\" do not stand together")
            }
            if current != nil { buffer.append("]") }
            open(name, in: buffer)
            current = name
        }
        buffer.append(rowCount == 0 ? "\n" : ",\n")
        buffer.append(row)
        rowCount += 1
    }

    private mutating func open(_ name: ExactName, in buffer: ExportBuffer) {
        buffer.append(opened.isEmpty ? "\n" : ",\n")
        buffer.append(JSONBuilder.string(name.text))
        buffer.append(":[")
        opened.insert(name)
        rowCount = 0
    }

    private func members(of line: [UInt8]) throws -> JSONSlices {
        do {
            return try JSONSlices(object: line, depth: 512)
        } catch {
            throw wrong(error.message)
        }
    }

    private struct Description: Decodable {
        struct Table: Decodable { var name: String }
        var tables: [Table]
    }

    private func names(_ description: [UInt8]) throws -> [ExactName] {
        guard let tables = try? JSONDecoder().decode(Description.self, from: Data(description)).tables else {
            throw wrong("its description of the tables cannot be read")
        }
        return tables.map { ExactName($0.name) }
    }

    private func wrong(_ reason: String) -> BackupError {
        BackupError(.damaged, reason, location: ["line \(lineNumber)"])
    }

    /// Gives each line that is not blank to `body`.
    private mutating func eachLine(_ body: ([UInt8], inout LineConversion) throws -> Void) throws {
        var line: [UInt8] = []
        var offset = 0
        while offset < input.size {
            try check()
            let piece = try input.bytes(at: offset, count: min(LineConversion.piece, input.size - offset))
            guard !piece.isEmpty else { break }
            offset += piece.count
            var rest = piece[...]
            while let end = rest.firstIndex(of: 0x0A) {
                line += rest[..<end]
                rest = rest[(end + 1)...]
                lineNumber += 1
                if !LineConversion.isBlank(line) { try body(line, &self) }
                line.removeAll(keepingCapacity: line.capacity <= 8 << 20)
            }
            line += rest
            guard line.count <= LineConversion.longestLine else {
                throw BackupError(
                    .damaged, "it is over \(LineConversion.longestLine) bytes long",
                    location: ["line \(lineNumber + 1)"])
            }
        }
        lineNumber += 1
        if !LineConversion.isBlank(line) { try body(line, &self) }
    }

    private static func isBlank(_ line: [UInt8]) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
    }
}
