/// The answer to one request: its status, its headers, and its body where that was not streamed elsewhere.
package struct HTTPAnswer: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// How many bytes of the body went to a ``DownloadSink``.
    var streamed: Int64 = 0

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, which must be in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
