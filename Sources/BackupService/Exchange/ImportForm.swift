internal import BackupCore
internal import BackupEngine
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// The form by which a file is imported, received part by part; the file goes to the disk as it comes.
struct ReceivedImport {
    var upload: ImportUpload
    var kind: ImportForm
    /// What the client calls the file.
    var name: String
    var isDry = false
    var clearsExisting = false
    var regeneratesIDs = false
}

extension ImportForm {
    static let mediaType = "multipart/form-data"
    /// For everything but the file, in bytes.
    static let room: Int64 = 64 << 10

    /// Receives a form.
    ///
    /// - Parameter limit: of the file, in bytes.
    /// - Throws: `Refusal`; then nothing is left of what was received.
    static func receive(_ request: Request, engine: BackupEngine, limit: Int64) async throws -> ReceivedImport {
        var reader = try ImportReader(contentType: request.headers[.contentType] ?? "", engine: engine, limit: limit)
        var count: Int64 = 0
        for try await piece in request.body {
            // Also of what stands behind the form's end.
            count += Int64(piece.readableBytes)
            guard count <= limit + room else { throw Refusal.tooLarge(limit) }
            try await reader.add(piece)
        }
        return try reader.finish()
    }
}

/// Takes the events of a form in order.
private struct ImportReader {
    private static let longestValue = 64
    private static let flags: Set<String> = ["dry_run", "clear_existing", "regenerate_ids"]

    private let engine: BackupEngine
    private let limit: Int64
    private var parser: MultipartParser
    private var part: MultipartParser.Part?
    private var value: [UInt8] = []
    private var values: [String: Bool] = [:]
    private var upload: ImportUpload?
    private var kind: ImportForm?
    private var name: String?
    private var fileSize: Int64 = 0

    init(contentType: String, engine: BackupEngine, limit: Int64) throws {
        self.engine = engine
        self.limit = limit
        do throws(MultipartParser.Fault) {
            parser = try MultipartParser(contentType: contentType)
        } catch {
            throw Refusal.malformed(error)
        }
    }

    mutating func add(_ piece: ByteBuffer) async throws {
        let events: [MultipartParser.Event]
        do throws(MultipartParser.Fault) {
            events = try parser.add(piece.readableBytesView)
        } catch {
            throw Refusal.malformed(error)
        }
        for event in events {
            switch event {
            case .begin(let part): try await begin(part)
            case .data(let bytes): try await take(bytes)
            case .end: try end()
            }
        }
    }

    private mutating func begin(_ part: MultipartParser.Part) async throws {
        self.part = part
        value = []
        guard part.name == "file" else {
            guard ImportReader.flags.contains(part.name) else {
                let name = String(part.name.prefix(60))
                throw Refusal.invalid(
                    "\(name) is not known", fields: [name: "is not known; allowed are file, \(ImportReader.names)"],
                    closes: true)
            }
            guard values[part.name] == nil else {
                throw Refusal.invalid(
                    "\(part.name) is given twice", fields: [part.name: "is given twice"], closes: true)
            }
            return
        }
        guard upload == nil else {
            throw Refusal.invalid("file is given twice", fields: ["file": "is given twice"], closes: true)
        }
        // What comes without a name is taken for JSON.
        guard let kind = part.filename.map({ ImportForm(filename: $0) }) ?? .json else {
            throw Refusal.invalid(
                "file must be named .json, .json.gz or .ndjson",
                fields: ["file": "must be a file whose name ends with .json, .json.gz or .ndjson"], closes: true)
        }
        self.kind = kind
        name = part.filename
        upload = try await engine.beginUpload()
    }

    private static var names: String { flags.sorted().joined(separator: ", ") }

    private mutating func take(_ bytes: [UInt8]) async throws {
        guard part?.name == "file", let upload else {
            value += bytes
            guard value.count <= ImportReader.longestValue else { throw notAFlag() }
            return
        }
        fileSize += Int64(bytes.count)
        guard fileSize <= limit else { throw Refusal.tooLarge(limit) }
        try await NIOThreadPool.singleton.runIfActive { try bytes.withUnsafeBytes { try upload.write($0) } }
    }

    private mutating func end() throws {
        guard let part, part.name != "file" else { return }
        switch String(decoding: value, as: UTF8.self).lowercased() {
        case "true", "1": values[part.name] = true
        case "false", "0", "": values[part.name] = false
        default: throw notAFlag()
        }
    }

    private func notAFlag() -> Refusal {
        let name = part?.name ?? ""
        return Refusal.invalid("\(name) must be true or false", fields: [name: "must be true or false"], closes: true)
    }

    func finish() throws -> ReceivedImport {
        do throws(MultipartParser.Fault) {
            try parser.finish()
        } catch {
            throw Refusal.malformed(error)
        }
        guard let upload, let kind else {
            throw Refusal.invalid("file is required", fields: ["file": "is required"])
        }
        return ReceivedImport(
            upload: upload, kind: kind, name: String((name ?? "a file").prefix(200)), isDry: values["dry_run"] ?? false,
            clearsExisting: values["clear_existing"] ?? false, regeneratesIDs: values["regenerate_ids"] ?? false)
    }
}

extension Refusal {
    /// - Parameter limit: of a file, in bytes.
    static func tooLarge(_ limit: Int64) -> Refusal {
        Refusal(
            status: .contentTooLarge, code: "too_large",
            message: "the file has more than \(limit) bytes; BACKUP_IMPORT_MAX_BYTES sets how many are taken",
            closes: true)
    }

    fileprivate static func malformed(_ fault: MultipartParser.Fault) -> Refusal {
        var refusal = Refusal.invalid("the form cannot be read: \(fault.message)", fields: ["file": fault.message])
        refusal.closes = true
        return refusal
    }

    /// - Parameter closes: whether what else the client sends is not to be read.
    fileprivate static func invalid(_ message: String, fields: [String: String], closes: Bool) -> Refusal {
        var refusal = invalid(message, fields: fields)
        refusal.closes = closes
        return refusal
    }
}
