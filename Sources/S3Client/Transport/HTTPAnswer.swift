/// The answer to one request: its status, its headers, and its body where that was not streamed elsewhere.
struct HTTPAnswer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// How many bytes of the body went to a ``DownloadSink``.
    var streamed: Int64 = 0

    /// The first header of that name, which must be in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
