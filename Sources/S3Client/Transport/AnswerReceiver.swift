internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1

/// Takes one answer in: the body of a success goes to the sink where there is one, any other into memory up to a limit.
///
/// The client calls it on one event loop, one call after another.
///
/// Writes happen on the event loop. A write to a file goes to the page cache; where the disk is behind, the connection
/// waits, which is the back-pressure that is wanted.
final class AnswerReceiver: HTTPClientResponseDelegate, @unchecked Sendable {
    typealias Response = HTTPAnswer

    private let sink: DownloadSink?
    private let limit: Int
    private let watch: InactivityWatch
    private let body: StreamedBody?
    private var answer = HTTPAnswer(status: 0, headers: [], body: [])
    private var streams = false

    /// Of what is kept of an error's body, in bytes.
    private static let errorLimit = 64 << 10

    /// - Parameter limit: of the body of a success, in bytes.
    init(sink: DownloadSink?, limit: Int, _ watch: InactivityWatch, _ body: StreamedBody?) {
        self.sink = sink
        self.limit = limit
        self.watch = watch
        self.body = body
    }

    func didSendRequestPart(task: HTTPClient.Task<HTTPAnswer>, _ part: IOData) { body?.partWritten() }

    func didSendRequest(task: HTTPClient.Task<HTTPAnswer>) { watch.requestSent() }

    func didReceiveHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        watch.touch()
        answer.status = Int(head.status.code)
        answer.headers = head.headers.map { ($0.name.lowercased(), $0.value) }
        streams = sink != nil && (200..<300).contains(answer.status)
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<HTTPAnswer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        watch.touch()
        do {
            try take(buffer)
            return task.eventLoop.makeSucceededVoidFuture()
        } catch {
            return task.eventLoop.makeFailedFuture(error)
        }
    }

    func didFinishRequest(task: HTTPClient.Task<HTTPAnswer>) throws -> HTTPAnswer { answer }

    private func take(_ buffer: ByteBuffer) throws {
        if answer.status >= 300 {
            // An error page of any length is cut.
            answer.body.append(contentsOf: buffer.readableBytesView.prefix(Self.errorLimit - answer.body.count))
            return
        }
        // What is behind the stretch that was asked for belongs to others.
        guard Int64(answer.body.count) + answer.streamed + Int64(buffer.readableBytes) <= Int64(limit) else {
            throw S3Error(.integrity, "the answer is longer than \(limit) bytes")
        }
        guard streams, let sink else {
            answer.body.append(contentsOf: buffer.readableBytesView)
            return
        }
        try buffer.withUnsafeReadableBytes { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                let place = sink.offset + answer.streamed + Int64(done)
                let count = pwrite(sink.descriptor, base + done, bytes.count - done, off_t(place))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw S3Error(.file, "cannot write what was received: \(String(cString: strerror(errno)))")
                }
                done += count
            }
        }
        answer.streamed += Int64(buffer.readableBytes)
        sink.received(answer.streamed)
    }
}
