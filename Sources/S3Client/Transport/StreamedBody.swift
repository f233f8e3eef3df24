internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import Synchronization

/// Sends a request's body in slices: the next is made when an earlier one was really written, so that a body of any size
/// takes the memory of a few slices, and that it is known how far it got.
///
/// The future of a `write` is of no use for that: async-http-client completes it at once until word comes back from the
/// connection that it is full, and by then a whole part may wait in memory. Its delegate is told of what was written.
/// A file's slices are read on the event loop. They were read a moment ago, for their digests, and lie in the page cache.
final class StreamedBody: Sendable {
    /// In bytes.
    private static let slice = 128 << 10
    /// Slices under way.
    private static let window = 2

    enum Source: Sendable {
        case bytes([UInt8])
        case file(FileSlice, descriptor: Int32)
    }

    private struct State {
        var made: Int64 = 0
        var credits = StreamedBody.window
        var isSending = false
        var writer: HTTPClient.Body.StreamWriter?
        var finished: EventLoopPromise<Void>?
    }

    private enum Step {
        case wait
        case send(Int64, HTTPClient.Body.StreamWriter)
        case finish(EventLoopPromise<Void>?)
    }

    private let source: Source
    private let length: Int64
    private let watch: InactivityWatch
    private let loop: any EventLoop
    private let state = Mutex(State())

    /// - Parameter loop: for the promise that the body is sent; any will do.
    init(_ source: Source, length: Int64, _ watch: InactivityWatch, on loop: any EventLoop) {
        self.source = source
        self.length = length
        self.watch = watch
        self.loop = loop
    }

    deinit {
        // An exchange that ended early leaves the promise open.
        state.withLock { $0.finished }?.fail(ChannelError.ioOnClosedChannel)
    }

    var requestBody: HTTPClient.Body {
        .stream(contentLength: length) { [self] writer in
            let finished = loop.makePromise(of: Void.self)
            state.withLock {
                $0.writer = writer
                $0.finished = finished
            }
            goOn()
            return finished.futureResult
        }
    }

    /// One slice has left.
    func partWritten() {
        watch.touch()
        state.withLock { $0.credits += 1 }
        goOn()
    }

    /// Writing may report at once that it is done; the loop, not the call stack, takes that up.
    private func goOn() {
        let isFirst = state.withLock { state in
            if state.isSending { return false }
            state.isSending = true
            return true
        }
        guard isFirst else { return }
        while true {
            switch nextStep() {
            case .wait: return
            case .finish(let promise):
                promise?.succeed()
                return
            case .send(let place, let writer):
                guard let buffer = slice(at: place) else {
                    // A length was promised: only a broken connection tells the server that it does not come.
                    take()?.fail(shortage(at: place))
                    return
                }
                writer.write(.byteBuffer(buffer)).whenFailure { self.take()?.fail($0) }
            }
        }
    }

    private func nextStep() -> Step {
        state.withLock { state in
            guard let writer = state.writer, state.finished != nil else {
                state.isSending = false
                return .wait
            }
            if state.made == length {
                state.writer = nil
                let promise = state.finished
                state.finished = nil
                return .finish(promise)
            }
            guard state.credits > 0 else {
                state.isSending = false
                return .wait
            }
            state.credits -= 1
            let place = state.made
            state.made += min(Int64(StreamedBody.slice), length - place)
            return .send(place, writer)
        }
    }

    private func take() -> EventLoopPromise<Void>? {
        state.withLock { state in
            defer { state.finished = nil }
            return state.finished
        }
    }

    /// Nil where the file does not hold it any more.
    private func slice(at place: Int64) -> ByteBuffer? {
        let wanted = Int(min(Int64(StreamedBody.slice), length - place))
        var buffer = ByteBufferAllocator().buffer(capacity: wanted)
        var count = 0
        while count < wanted {
            let step = fill(&buffer, wanted - count, at: place + Int64(count))
            guard step > 0 else { return nil }
            count += step
        }
        return buffer
    }

    private func fill(_ buffer: inout ByteBuffer, _ wanted: Int, at place: Int64) -> Int {
        switch source {
        case .bytes(let bytes):
            return buffer.writeBytes(bytes[Int(place)..<(Int(place) + wanted)])
        case .file(let file, let descriptor):
            return buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                max(0, pread(descriptor, space.baseAddress, wanted, off_t(file.offset + place)))
            }
        }
    }

    private func shortage(at place: Int64) -> S3Error {
        switch source {
        case .bytes: S3Error(.file, "the body ends early")
        case .file(let file, _):
            S3Error(.file, "\(file.path) ends, or cannot be read, at byte \(file.offset + place): it changed meanwhile")
        }
    }
}
