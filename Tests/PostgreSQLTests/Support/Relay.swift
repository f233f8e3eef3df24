import Foundation
import Synchronization

/// Carries connections on to a server, until they are cut as a broken network cuts them.
final class Relay: Sendable {
    let port: UInt16
    private let listener: Int32
    private let upstream: UInt16
    private let sockets = Mutex<(all: [Int32], isCut: Bool)>(([], false))

    /// - Parameter upstream: the server's port on this machine.
    init(to upstream: UInt16) throws {
        self.upstream = upstream
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Relay.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isReady else { throw TestFailure(description: "no port for a relay: \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in accept() }.start()
    }

    /// Ends all connections in the midst of whatever they carry, and takes no others.
    func cut() {
        let all = sockets.withLock { state in
            state.isCut = true
            return state.all
        }
        for descriptor in all + [listener] { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Relay.loopback(upstream)
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            let isWanted = sockets.withLock { state in
                state.all += [client, server]
                return !state.isCut
            }
            guard isConnected, isWanted else {
                shutdown(client, Int32(SHUT_RDWR))
                continue
            }
            for (from, to) in [(client, server), (server, client)] {
                Thread { Relay.carry(from, to) }.start()
            }
        }
        close(listener)
    }

    private static func carry(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let part = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard part > 0 else { break }
                sent += part
            }
            if sent < count { break }
        }
        shutdown(to, Int32(SHUT_RDWR))
    }
}
