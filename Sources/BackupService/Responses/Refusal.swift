internal import BackupCore
internal import HTTPTypes

/// A request that is not served, for a reason that lies in the request itself.
struct Refusal: Error {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    /// What is wrong with single fields of the body or the query.
    var fields: [String: String] = [:]
    var headers = HTTPFields()
    /// Whether what else the client sends is not to be read.
    var closes = false
    /// Whether it refuses a token that may have been guessed.
    var isGuess = false

    static func invalid(_ message: String, fields: [String: String]) -> Refusal {
        Refusal(status: .badRequest, code: BackupError.Code.usage.rawValue, message: message, fields: fields)
    }

    static func unauthenticated(_ message: String) -> Refusal {
        var headers = HTTPFields()
        headers[.wwwAuthenticate] = "Bearer"
        return Refusal(status: .unauthorized, code: "unauthenticated", message: message, headers: headers)
    }

    /// Does not say which of many things is wrong with it.
    static var invalidToken: Refusal {
        var refusal = unauthenticated("the token is not valid: it is unknown, expired or revoked")
        refusal.isGuess = true
        return refusal
    }

    /// - Parameter seconds: after which it may be tried again.
    static func tooMany(_ message: String, _ seconds: Int) -> Refusal {
        var headers = HTTPFields()
        headers[.retryAfter] = "\(seconds)"
        return Refusal(
            status: .tooManyRequests, code: "too_many_requests",
            message: "\(message); try again in \(seconds) seconds", headers: headers)
    }

    /// Whoever guesses learns no more than from any other wrong token.
    static func lockedOut(_ message: String, _ seconds: Int) -> Refusal {
        var refusal = Refusal.tooMany(message, seconds)
        refusal.status = .unauthorized
        refusal.headers[.wwwAuthenticate] = "Bearer"
        return refusal
    }

    static func unavailable(_ message: String) -> Refusal {
        var headers = HTTPFields()
        headers[.retryAfter] = "5"
        return Refusal(status: .serviceUnavailable, code: "unavailable", message: message, headers: headers)
    }

    static func forbidden(_ message: String) -> Refusal {
        Refusal(status: .forbidden, code: "forbidden", message: message)
    }

    static let tooLarge = Refusal(
        status: .contentTooLarge, code: "too_large",
        message: "the body has more than \(RequestFields.longestBody) bytes", closes: true)

    static func notAllowed(_ methods: [String]) -> Refusal {
        var headers = HTTPFields()
        headers[.allow] = methods.sorted().joined(separator: ", ")
        return Refusal(
            status: .methodNotAllowed, code: "method_not_allowed",
            message: "this path takes \(methods.sorted().joined(separator: ", "))", headers: headers)
    }

    /// For now: no place is left, or the service ends.
    static func busy(_ message: String) -> Refusal {
        var headers = HTTPFields()
        headers[.retryAfter] = "30"
        return Refusal(status: .serviceUnavailable, code: "busy", message: message, headers: headers)
    }

    static func notFound(_ path: String) -> Refusal {
        Refusal(
            status: .notFound, code: BackupError.Code.notFound.rawValue,
            message: "there is nothing at \(path.prefix(200).filter { $0.isASCII && !$0.isNewline })")
    }
}

extension Refusal {
    init(_ error: BackupError) {
        let status: HTTPResponse.Status =
            switch error.code {
            case .usage: .badRequest
            case .notFound: .notFound
            case .forbidden: .forbidden
            // What was asked for may need a setting that is not there.
            case .locked, .retained, .target, .taken, .cancelled, .configuration: .conflict
            case .unsupported: .unprocessableContent
            case .source, .damaged, .storage, .remote, .catalog, .internal:
                .internalServerError
            }
        self.init(
            status: status, code: error.code.rawValue, message: "\(error)",
            fields: error.field.map { [$0: error.message] } ?? [:])
    }
}
