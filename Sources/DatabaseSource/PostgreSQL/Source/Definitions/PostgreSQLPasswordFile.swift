internal import BackupCore
internal import CLibpq
internal import Glibc

/// The password of a connection in a file that only this user can read, for as long as this value lives.
struct PostgreSQLPasswordFile: ~Copyable {
    /// Nil where the connection needs no password.
    let path: String?

    init(_ connection: PostgreSQLConnection) throws(BackupError) {
        guard let password = PQpass(connection.handle).map({ String(cString: $0) }), !password.isEmpty else {
            path = nil
            return
        }
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(directory)/elder-backup-XXXXXX".utf8CString)
        // mkstemp makes the file readable for its owner only.
        let descriptor = mkstemp(&name)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else {
            throw .system("make a password file for pg_dump in", path: directory, errno: errno)
        }
        let escaped = password.reduce(into: "") { text, character in
            if character == "\\" || character == ":" { text.append("\\") }
            text.append(character)
        }
        let line = Array("*:*:*:*:\(escaped)\n".utf8)
        let written = write(descriptor, line, line.count)
        let number = errno
        close(descriptor)
        guard written == line.count else {
            unlink(path)
            throw .system("write a password file for pg_dump in", path: directory, errno: number)
        }
        self.path = path
    }

    deinit {
        if let path { unlink(path) }
    }
}
