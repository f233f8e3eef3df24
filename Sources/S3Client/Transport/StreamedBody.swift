internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import Synchronization

/// Sends a request's body one slice at a time: the next is made when the last is written, so that a body of any size
/// takes the memory of one slice, and that it is known how far it got.
///
/// A file's slices are read on the event loop. They were read a moment ago, for their digests, and lie in the page cache.
final class StreamedBody: Sendable {
    /// In bytes. Smaller ones cost more calls; larger ones more memory in every connection, above all with TLS.
    private static let slice = 64 << 10

    enum Source: Sendable {
        case bytes([UInt8])
        case file(FileSlice, descriptor: Int32)
    }

    private struct State {
        var buffer: ByteBuffer
        var done: Int64 = 0
    }

    private let source: Source
    private let length: Int64
    private let watch: InactivityWatch
    private let state: Mutex<State>

    init(_ source: Source, length: Int64, _ watch: InactivityWatch) {
        self.source = source
        self.length = length
        self.watch = watch
        let capacity = Int(min(Int64(StreamedBody.slice), length))
        state = Mutex(State(buffer: ByteBufferAllocator().buffer(capacity: capacity)))
    }

    var requestBody: HTTPClient.Body {
        .stream(contentLength: length) { writer in
            guard let first = self.sendNext(writer) else { return writer.write(.byteBuffer(ByteBuffer())) }
            let done = first.eventLoop.makePromise(of: Void.self)
            self.goOn(after: first, writer, done)
            return done.futureResult
        }
    }

    private func goOn(
        after future: EventLoopFuture<Void>, _ writer: HTTPClient.Body.StreamWriter, _ done: EventLoopPromise<Void>
    ) {
        future.whenComplete { result in
            switch result {
            case .failure(let error): done.fail(error)
            case .success:
                self.watch.touch()
                guard let next = self.sendNext(writer) else { return done.succeed() }
                self.goOn(after: next, writer, done)
            }
        }
    }

    /// Nil where all is sent.
    private func sendNext(_ writer: HTTPClient.Body.StreamWriter) -> EventLoopFuture<Void>? {
        let filled = state.withLock { state -> Result<ByteBuffer?, S3Error> in
            let wanted = Int(min(Int64(StreamedBody.slice), length - state.done))
            guard wanted > 0 else { return .success(nil) }
            state.buffer.clear(minimumCapacity: wanted)
            let count = fill(&state.buffer, wanted, at: state.done)
            guard count > 0 else { return .failure(shortage(at: state.done)) }
            state.done += Int64(count)
            return .success(state.buffer)
        }
        switch filled {
        case .success(nil): return nil
        case .success(let buffer?): return writer.write(.byteBuffer(buffer))
        case .failure(let error):
            // A length was promised: only a broken connection tells the server that it does not come.
            return writer.write(.byteBuffer(ByteBuffer())).flatMapThrowing { throw error }
        }
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
