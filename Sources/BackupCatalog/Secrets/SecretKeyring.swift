package import BackupCore

/// The keys that the catalog's secrets are encrypted with: the configured one, or else that of a file, which is made
/// when it is first needed.
///
/// Nothing is remembered: another process may be changing the key. Whoever writes asks for the key while it holds the
/// catalog's write lock, and so never writes with a key that a change of keys leaves behind.
package struct SecretKeyring: Sendable {
    /// `BACKUP_SECRET_KEY`.
    let configured: SecretKey?
    /// `BACKUP_SECRET_KEY_OLD`: reads, and never writes.
    let old: SecretKey?
    private let file: SecretKeyFile
    /// The key that takes the file's place once everything was written with it.
    private let next: SecretKeyFile

    /// - Parameter path: of the file, absolute.
    package init(path: String, configured: SecretKey? = nil, old: SecretKey? = nil) {
        self.configured = configured
        self.old = old
        file = SecretKeyFile(path: path)
        next = SecretKeyFile(path: path + ".next")
    }

    init(besideCatalog path: String) {
        self.init(path: (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + "secret.key")
    }

    /// The key to write with.
    func writing() throws -> SecretKey {
        if let configured { return configured }
        return try next.read() ?? file.makeIfMissing()
    }

    /// All keys to read with, each once. A key in the file stays one where another is configured.
    func reading() throws -> [SecretKey] {
        // The one that may take the other's place at this moment first: what is gone from here is there by then.
        let keys = [configured, try next.read(), try file.read(), old].compactMap { $0 }
        return keys.enumerated().filter { keys[..<$0.offset].contains($0.element) == false }.map(\.element)
    }

    /// Makes the key that is to take the file's place, or finds the one that was made before; nil where the key is
    /// configured. From then on it is written with.
    func begin() throws -> SecretKey? {
        configured == nil ? try next.makeIfMissing() : nil
    }

    /// Puts the new key in the place of the file's: everything was written with it.
    func finish() throws {
        if configured == nil { try next.replace(file) }
    }
}
