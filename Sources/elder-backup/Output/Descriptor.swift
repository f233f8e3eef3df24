import BackupCore
import Glibc

/// An open file descriptor that text is written to. Glibc's `stdout` is a mutable global that Swift 6 rightly refuses.
struct Descriptor: Sendable {
    static let output = Descriptor(number: STDOUT_FILENO, name: "standard output")
    static let messages = Descriptor(number: STDERR_FILENO, name: "standard error")

    let number: Int32
    let name: String

    var isTerminal: Bool { isatty(number) == 1 }

    /// The width in columns, 80 where the terminal does not say.
    var width: Int {
        var size = winsize()
        guard ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes all of the text. A reader that went away ends the process quietly, as SIGPIPE would.
    func write(_ text: String) throws(BackupError) {
        var text = text
        let failure = text.withUTF8 { bytes in writeAll(UnsafeRawBufferPointer(bytes)) }
        guard failure != 0 else { return }
        if failure == EPIPE { exit(128 + SIGPIPE) }
        throw BackupError(.storage, "cannot write to \(name): \(SystemErrorText.text(for: failure))")
    }

    /// The error number, or 0.
    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(number, slice.baseAddress, slice.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
