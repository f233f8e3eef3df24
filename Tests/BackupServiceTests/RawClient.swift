import Foundation
import Glibc

/// A connection that sends exactly what it is told, as no well-behaved client would. It waits on threads of its own:
/// those of the pool are what the service under test runs on.
final class RawClient: Sendable {
    private let descriptor: Int32

    struct Failure: Error { var text: String }

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(text: "connect: \(errno)") }
    }

    deinit { close(descriptor) }

    /// Whether all of it went out; what the other side has closed takes nothing.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Reads up to so many bytes, and waits for the first of them; returns how many there were.
    func take(_ count: Int) async -> Int {
        let descriptor = descriptor
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var buffer = [UInt8](repeating: 0, count: count)
                continuation.resume(returning: max(0, recv(descriptor, &buffer, count, 0)))
            }
        }
    }

    struct Answer: Sendable {
        var bytes: [UInt8] = []
        /// Whether the server closed the connection.
        var isClosed = false

        var text: String { String(decoding: bytes, as: UTF8.self) }
        /// Of the first answer; nil where there is none.
        var status: Int? {
            text.hasPrefix("HTTP/1.1 ") ? Int(text.dropFirst(9).prefix(3)) : nil
        }
        /// How many answers there are.
        var count: Int { text.components(separatedBy: "HTTP/1.1 ").count - 1 }
    }

    /// Reads until the server closes, the text is there, or the time is over.
    func read(until end: String? = nil, seconds: Double = 20) async -> Answer {
        let descriptor = descriptor
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var answer = Answer()
                let deadline = Date().addingTimeInterval(seconds)
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while Date() < deadline {
                    if let end, answer.text.contains(end) { break }
                    var wish = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    guard poll(&wish, 1, 20) > 0 else { continue }
                    let count = recv(descriptor, &buffer, buffer.count, 0)
                    guard count > 0 else {
                        answer.isClosed = true
                        break
                    }
                    answer.bytes += buffer[..<count]
                }
                continuation.resume(returning: answer)
            }
        }
    }
}
