/// Bodies of requests.
enum XMLBody {
    static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    /// - Parameter inner: already escaped.
    static func document(_ root: String, _ inner: String) throws -> [UInt8] {
        Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?><\(root) xmlns=\"\(namespace)\">\(inner)</\(root)>".utf8)
    }

    static func element(_ name: String, _ text: String) throws -> String {
        "<\(name)>\(try XMLText.escape(text))</\(name)>"
    }
}
