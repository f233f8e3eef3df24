import S3Client
import Testing

@Suite struct ErrorAnswerTests {
    private func answer(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = []) -> HTTPAnswer {
        HTTPAnswer(status: status, headers: headers, body: Array(body.utf8))
    }

    private func error(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = []) -> S3Error {
        ErrorAnswer.error(
            answer(status, body, headers), of: S3Request("GetObject", "GET", bucket: "backups", key: "a"))
    }

    @Test("An error's words are all kept, on one line")
    func words() {
        let error = error(
            403,
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code> SignatureDoesNotMatch </Code><Message>Two
             lines</Message><RequestId>R1</RequestId><HostId>H1</HostId></Error>
            """)
        #expect(error.kind == .service)
        #expect(error.code == "SignatureDoesNotMatch")
        #expect(error.message == "Two lines")
        #expect(error.requestID == "R1")
        #expect(error.hostID == "H1")
        #expect(
            error.description == "GetObject backups/a: SignatureDoesNotMatch (HTTP 403): Two lines [request R1]")
    }

    @Test("The headers' request id and region hold where the body has none, the body's region where it has one")
    func headers() {
        let headers = [("x-amz-request-id", "R2"), ("x-amz-id-2", "H2"), ("x-amz-bucket-region", "eu-west-1")]
            .map { (name: $0.0, value: $0.1) }
        let empty = error(301, "", headers)
        #expect(empty.requestID == "R2")
        #expect(empty.hostID == "H2")
        #expect(empty.region == "eu-west-1")
        #expect(empty.code == nil)
        let told = error(301, "<Error><Code>PermanentRedirect</Code><Region>us-west-2</Region></Error>", headers)
        #expect(told.region == "us-west-2")
    }

    @Test("An error inside another element is found")
    func nested() {
        let error = error(400, "<ErrorResponse xmlns='x'><Error><Code>ExpiredToken</Code></Error></ErrorResponse>")
        #expect(error.code == "ExpiredToken")
    }

    @Test(
        "Where there is no code, the message says what to look at",
        arguments: [
            (200, "<html><body>Welcome</body></html>", "web page"), (404, "<!DOCTYPE html>\n<html>", "web page"),
            (403, "", "access denied"), (404, "", "not found"), (400, "", "check the region and the endpoint"),
            (301, "", "sends elsewhere"), (405, "", "does not allow this method"), (412, "", "does not hold"),
            (502, "bad gateway", "no XML"), (500, "<Foo/>", "<Foo>"), (500, "<Error", "no XML"),
        ])
    func noCode(_ status: Int, _ body: String, _ words: String) {
        let error = error(status, body)
        #expect(error.code == nil)
        #expect(error.message.contains(words), "\(error.message)")
    }

    private func hidden(_ body: String, _ headers: [(name: String, value: String)] = []) -> S3Error? {
        var request = S3Request("CompleteMultipartUpload", "POST", bucket: "b", key: "k")
        request.successRoot = "CompleteMultipartUploadResult"
        return ErrorAnswer.hiddenError(answer(200, body, headers), of: request)
    }

    @Test("A success with status 200 is one")
    func success() {
        #expect(hidden("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>") == nil)
        #expect(hidden("\n  <?xml version=\"1.0\"?>\n<CompleteMultipartUploadResult xmlns=\"x\"/>") == nil)
    }

    @Test("A failure with status 200 is one", arguments: ["InternalError", "SlowDown", "NoSuchUpload", "AccessDenied"])
    func failure(_ code: String) {
        let error = hidden("  <Error><Code>\(code)</Code><Message>m</Message></Error>")
        #expect(error?.kind == .service)
        #expect(error?.code == code)
    }

    @Test(
        "An answer that is cut, empty, or of something else is malformed",
        arguments: ["", " ", "<CompleteMultipartUploadResult><ETag>e</ETag>", "<Other/>", "<html></html>"])
    func malformed(_ body: String) { #expect(hidden(body)?.kind == .malformedAnswer) }

    @Test("An answer without the header that every success has is malformed")
    func missingHeader() {
        var request = S3Request("PutObject", "PUT", bucket: "b", key: "k")
        request.successHeader = "etag"
        #expect(ErrorAnswer.hiddenError(answer(200, ""), of: request)?.kind == .malformedAnswer)
        let page = ErrorAnswer.hiddenError(answer(200, "<html>"), of: request)
        #expect(page?.kind == .malformedAnswer)
        #expect(page?.message.contains("web page") == true)
        #expect(ErrorAnswer.hiddenError(answer(200, "", [(name: "etag", value: "\"e\"")]), of: request) == nil)
    }

    @Test("A body where a success has none is malformed")
    func unexpectedBody() {
        var request = S3Request("DeleteObject", "DELETE", bucket: "b", key: "k")
        request.successIsEmpty = true
        #expect(ErrorAnswer.hiddenError(answer(200, "<html>"), of: request)?.kind == .malformedAnswer)
        #expect(ErrorAnswer.hiddenError(answer(204, ""), of: request) == nil)
    }
}
