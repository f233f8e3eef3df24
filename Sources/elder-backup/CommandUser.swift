import BackupCore
import Glibc

/// Who types the commands, as the audit log names them.
enum CommandUser {
    /// The user of the process; by number where it has no name.
    static var actor: AuditActor { AuditActor(name: "cli:" + name(of: geteuid())) }

    private static func name(of user: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
        else {
            return "\(user)"
        }
        return String(cString: name)
    }
}
