internal import BackupCore
internal import S3Client

/// A store's refusals in the words of this program: what, where, the provider's own words, and what to do.
enum RemoteFault {
    static func error(
        _ error: S3Error, _ action: String, _ object: S3Object?, _ settings: StoreSettings
    ) -> BackupError {
        let place = object.map { " s3://\($0)" } ?? ""
        var text = "cannot \(action)\(place) on \(settings.name): \(words(error))"
        if let advice = advice(error, settings) { text += "; \(advice)" }
        return BackupError(code(error), String(text.map { $0.isNewline ? " " : $0 }))
    }

    private static func code(_ error: S3Error) -> BackupError.Code {
        switch error.kind {
        case .cancelled: .cancelled
        case .file: .storage
        case .integrity: .damaged
        default: isMissing(error) ? .notFound : .remote
        }
    }

    /// Whether the object, not the bucket, is what is not there. HEAD says only 404; a delete marker is 405.
    static func isMissing(_ error: S3Error) -> Bool {
        guard error.kind == .service else { return false }
        if let code = error.code { return ["NoSuchKey", "NoSuchVersion", "NotFound"].contains(code) }
        return error.status == 404 || error.status == 405
    }

    /// The same for keys that may not list: to them what is missing is forbidden.
    static func mayBeMissing(_ error: S3Error) -> Bool {
        isMissing(error) || (error.kind == .service && error.status == 403) || error.code == "NoSuchBucket"
    }

    /// Whether the next request would fare alike.
    static func closesStore(_ error: S3Error) -> Bool {
        switch error.kind {
        case .transport, .deadline, .credentials: true
        default: ["SignatureDoesNotMatch", "InvalidAccessKeyId", "NoSuchBucket"].contains(error.code ?? "")
        }
    }

    /// The provider's code, status, message and request id.
    private static func words(_ error: S3Error) -> String {
        var parts: [String] = []
        switch (error.code, error.status) {
        case (let code?, let status?): parts.append("\(code) (HTTP \(status))")
        case (let code?, nil): parts.append(code)
        case (nil, let status?): parts.append("HTTP \(status)")
        case (nil, nil): break
        }
        if !error.message.isEmpty { parts.append(error.message) }
        return parts.joined(separator: ": ") + (error.requestID.map { " [request \($0)]" } ?? "")
    }

    /// In the names of the store's own variables.
    static func advice(_ error: S3Error, _ settings: StoreSettings) -> String? {
        StoreAdvice.text(for: error)?.replacing("BACKUP_S3_", with: settings.variablePrefix)
    }
}
