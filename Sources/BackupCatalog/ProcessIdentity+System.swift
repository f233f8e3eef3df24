package import BackupCore
internal import Glibc

extension ProcessIdentity {
    /// This process.
    package static func current() -> ProcessIdentity {
        let pid = getpid()
        return ProcessIdentity(host: hostName(), pid: pid, start: start(of: pid) ?? "")
    }

    /// When the process `pid` started.
    private static func start(of pid: Int32) -> String? {
        guard let boot = bootID(), let line = firstLine(ofFile: "/proc/\(pid)/stat") else { return nil }
        // The command's name, field 2, may hold spaces and parentheses: the last one closes it.
        guard let close = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: close)...].split(separator: " ")
        // Field 3, the state, comes first here; field 22 is the start.
        guard fields.count > 19 else { return nil }
        return boot + " " + fields[19]
    }

    private static func bootID() -> String? {
        firstLine(ofFile: "/proc/sys/kernel/random/boot_id")
    }

    private static func hostName() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard let base = buffer.baseAddress, gethostname(base, 255) == 0 else { return "" }
            return String(cString: base)
        }
    }

    private static func firstLine(ofFile path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return nil }
            let bytes = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
