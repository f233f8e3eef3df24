import Foundation
import Glibc
import Synchronization

/// Passes connections on to a server, and cuts all of them once so many bytes have gone to it.
final class CuttingProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let upstream: Int
    private let rest: Atomic<Int>
    private let sockets = Mutex<[Int32]>([])
    private let isCut = Atomic<Bool>(false)

    init(to upstream: Int, cutAfter bytes: Int) throws {
        self.upstream = upstream
        rest = Atomic(bytes)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, generic, &length) == 0
            }
        }
        guard isBound else { throw TestFailure(description: "cannot listen: error \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in accept() }
    }

    var wasCut: Bool { isCut.load(ordering: .relaxed) }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        return address
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(upstream)
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            sockets.withLock { $0 += [client, server] }
            guard status == 0, !wasCut else {
                cut()
                continue
            }
            Thread.detachNewThread { [self] in pass(from: client, to: server, counts: true) }
            Thread.detachNewThread { [self] in pass(from: server, to: client, counts: false) }
        }
    }

    private func pass(from source: Int32, to target: Int32, counts: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            if counts, rest.subtract(count, ordering: .relaxed).newValue < 0 {
                cut()
                return
            }
            var sent = 0
            while sent < count {
                let part = buffer.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { send(target, $0 + sent, count - sent, Int32(MSG_NOSIGNAL)) } ?? -1
                }
                guard part > 0 else { break }
                sent += part
            }
        }
        shutdown(target, Int32(SHUT_WR))
    }

    /// Ends every connection, also those that come later.
    func cut() {
        isCut.store(true, ordering: .relaxed)
        sockets.withLock { for socket in $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    /// Ends everything; its threads end by themselves.
    func stop() {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
