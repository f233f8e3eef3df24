internal import HTTPTypes
internal import Hummingbird

/// What a client prefers (RFC 7240).
enum Preference {
    private static let field = HTTPField.Name("Prefer")

    /// Whether it wants to be answered before the work is done.
    static func respondsAsync(_ request: Request) -> Bool {
        guard let field else { return false }
        return request.headers[values: field].contains { value in
            value.split(separator: ",").contains { preference in
                let token = preference.prefix { $0 != ";" && $0 != "=" }
                return token.filter { !$0.isWhitespace }.lowercased() == "respond-async"
            }
        }
    }
}
