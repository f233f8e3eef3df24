import Foundation
import Glibc
import Synchronization

/// Answers every request with a redirection to another server.
final class RedirectingServer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let counter = Counter()

    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }

    var requests: Int { counter.count.load(ordering: .relaxed) }

    init(to target: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw SceneFailure(description: "cannot listen: \(errno)") }
        descriptor = listener
        port = UInt16(bigEndian: address.sin_port)
        let counter = counter
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let found = read(client, &buffer, buffer.count)
                guard found > 0 else {
                    close(client)
                    continue
                }
                counter.count.add(1, ordering: .relaxed)
                let line = String(decoding: buffer.prefix { $0 != 13 }, as: UTF8.self)
                let path = line.split(separator: " ").dropFirst().first.map(String.init) ?? "/"
                let answer =
                    "HTTP/1.1 307 Temporary Redirect\r\nLocation: \(target)\(path)\r\nContent-Length: 0\r\n"
                    + "Connection: close\r\n\r\n"
                _ = write(client, answer, answer.utf8.count)
                close(client)
            }
        }
    }

    /// Ends the thread that accepts.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}
