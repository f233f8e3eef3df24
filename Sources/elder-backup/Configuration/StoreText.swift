import BackupCore
import BackupEngine
// Where this module and Glibc both show stat(), its members count as those of this one.
import CDispatch
import Foundation
import Glibc

/// The forms of a store's settings that no job has of its own.
extension StoreText {
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    static func storageClass(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { isPlain($0 | 0x20) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
        return isName && text.utf8.count <= 64 ? text : nil
    }

    static func objectLock(_ text: String) -> StoreSettings.ObjectLock? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let mode = StoreSettings.ObjectLock.Mode(rawValue: parts[0].lowercased()),
            parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let days = Int(parts[1]), (1...36_500).contains(days)
        else { return nil }
        return StoreSettings.ObjectLock(mode: mode, days: days)
    }

    /// Why a file cannot be read; nil where it can.
    static func unreadable(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else { return SystemErrorText.text(for: errno) }
        return status.st_mode & S_IFMT == S_IFREG ? nil : "it is not a file"
    }
}

/// The file of the key that a store encrypts objects with and does not keep.
enum CustomerKeyFile {
    /// - Returns: the key's 32 bytes in base64.
    /// - Throws: `configuration`; never with anything of the file's content.
    static func read(_ path: String) throws(BackupError) -> Secret {
        if let reason = StoreText.unreadable(path) {
            throw BackupError(.configuration, "cannot read \(path): \(reason)")
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw BackupError(
                .configuration, "others may read the key in \(path): run `chmod 600` on it, or let its owner do it")
        }
        guard status.st_size <= 1024, let data = try? Data(contentsOf: URL(filePath: path)), let key = key(in: data)
        else {
            throw BackupError(
                .configuration,
                "\(path) does not hold a key of 32 bytes, plain, as 64 hexadecimal digits or in base64; "
                    + "`openssl rand -base64 32` makes one")
        }
        return Secret(key.base64EncodedString())
    }

    private static func key(in data: Data) -> Data? {
        if data.count == 32 { return data }
        guard let text = String(validating: data, as: UTF8.self)?.filter({ !$0.isWhitespace }) else { return nil }
        if text.utf8.count == 64 {
            let digits = text.compactMap(\.hexDigitValue)
            guard digits.count == 64 else { return nil }
            return Data(stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
        }
        return Data(base64Encoded: text).flatMap { $0.count == 32 ? $0 : nil }
    }
}
