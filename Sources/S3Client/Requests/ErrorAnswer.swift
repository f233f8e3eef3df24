/// Reads what a server says of a failure.
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses
package enum ErrorAnswer {
    package static func error(_ answer: HTTPAnswer, of request: S3Request) -> S3Error {
        var error = S3Error(
            .service, "", operation: request.operation, bucket: request.bucket, key: request.key,
            status: answer.status, requestID: answer.header("x-amz-request-id"), hostID: answer.header("x-amz-id-2"),
            region: answer.header("x-amz-bucket-region"))
        guard let tree = try? XMLTree.parse(answer.body) else {
            error.message = words(for: answer)
            return error
        }
        guard let root = tree.name == "Error" ? tree : tree.child("Error") else {
            error.message = "the answer is no error of an S3 server but <\(tree.name)>; is this its endpoint?"
            return error
        }
        fill(&error, from: root)
        return error
    }

    /// The failure in an answer with status 200, where there is one.
    package static func hiddenError(_ answer: HTTPAnswer, of request: S3Request) -> S3Error? {
        let lacksHeader = request.successHeader.map { answer.header($0) == nil } ?? false
        if lacksHeader || request.successIsEmpty && !answer.body.isEmpty {
            var error = error(answer, of: request)
            error.kind = .malformedAnswer
            if error.message.isEmpty { error.message = "the answer is not one of an S3 server" }
            return error
        }
        guard let expected = request.successRoot, (200..<300).contains(answer.status) else { return nil }
        guard let tree = try? XMLTree.parse(answer.body) else {
            let message = isWebPage(answer) ? words(for: answer) : "the answer ends early or is no XML"
            return S3Error(
                .malformedAnswer, message, operation: request.operation,
                bucket: request.bucket, key: request.key, status: answer.status,
                requestID: answer.header("x-amz-request-id"))
        }
        if tree.name.hasPrefix(expected) { return nil }
        var error = error(answer, of: request)
        if tree.name != "Error" { error.kind = .malformedAnswer }
        // The status says nothing; the code decides what is done about it, as if it had come with a 500.
        if error.code == "InternalError" || error.code == "SlowDown" { error.status = nil }
        return error
    }

    private static func fill(_ error: inout S3Error, from root: XMLTree) {
        func text(_ name: String) -> String? { root.child(name)?.text.trimmedLine }
        error.code = text("Code")
        error.message = text("Message") ?? ""
        error.requestID = error.requestID ?? text("RequestId")
        error.hostID = error.hostID ?? text("HostId")
        error.region = text("Region") ?? error.region
    }

    private static func isWebPage(_ answer: HTTPAnswer) -> Bool {
        let start = String(decoding: answer.body.prefix(512), as: UTF8.self).lowercased()
        return start.contains("<html") || start.contains("<!doctype")
    }

    private static func words(for answer: HTTPAnswer) -> String {
        if isWebPage(answer) {
            return "the answer is a web page; the endpoint is that of a web site or a console, not of an S3 server"
        }
        switch answer.status {
        case 301, 302, 307, 308: return "the server sends elsewhere; check the endpoint and the region"
        case 400: return "the server refuses the request without a reason; check the region and the endpoint"
        case 401, 403: return "access denied"
        case 404: return "not found"
        case 405: return "the server does not allow this method here"
        case 412: return "a condition of the request does not hold"
        default: return answer.body.isEmpty ? "" : "the answer is no XML"
        }
    }
}

extension String {
    /// Nil where there is nothing but white space.
    fileprivate var trimmedLine: String? {
        let line = split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.isEmpty ? nil : line
    }
}
