internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import Synchronization

/// Sends a stretch of a file as a request's body, one slice at a time: the next is read when the last is written, so
/// that a body of any size takes the memory of one slice.
///
/// The slices are read on the event loop. They were read a moment ago, for their digests, and lie in the page cache.
final class FileBody: Sendable {
    /// In bytes.
    private static let slice = 256 << 10

    private struct State {
        var buffer: ByteBuffer
        var done: Int64 = 0
    }

    private let descriptor: Int32
    private let file: FileSlice
    private let state: Mutex<State>

    init(descriptor: Int32, file: FileSlice) {
        self.descriptor = descriptor
        self.file = file
        state = Mutex(State(buffer: ByteBufferAllocator().buffer(capacity: FileBody.slice)))
    }

    var requestBody: HTTPClient.Body {
        .stream(contentLength: file.length) { writer in
            let first = self.sendNext(writer)
            guard let first else { return writer.write(.byteBuffer(ByteBuffer())) }
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
                guard let next = self.sendNext(writer, done) else { return done.succeed() }
                self.goOn(after: next, writer, done)
            }
        }
    }

    /// Nil where all is sent.
    private func sendNext(
        _ writer: HTTPClient.Body.StreamWriter, _ done: EventLoopPromise<Void>? = nil
    ) -> EventLoopFuture<Void>? {
        let filled = state.withLock { state -> Result<ByteBuffer?, S3Error> in
            let wanted = Int(min(Int64(FileBody.slice), file.length - state.done))
            guard wanted > 0 else { return .success(nil) }
            state.buffer.clear(minimumCapacity: FileBody.slice)
            let place = off_t(file.offset + state.done)
            let count = state.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space -> Int in
                max(0, pread(descriptor, space.baseAddress, wanted, place))
            }
            guard count > 0 else {
                return .failure(
                    S3Error(.file, "\(file.path) ends, or cannot be read, at byte \(place): it changed meanwhile"))
            }
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
}
