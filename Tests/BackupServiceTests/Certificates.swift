import Foundation
import Glibc

/// Keys and certificates for tests, made by openssl.
enum Certificates {
    struct Failure: Error { var text: String }

    static func directory() throws -> String {
        let path = NSTemporaryDirectory() + "certificates-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    static func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(text: "openssl \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
    }

    static func rsaKey(_ path: String, bits: Int) throws { try openssl("genrsa", "-out", path, "\(bits)") }

    /// A certificate of its own for 127.0.0.1: `NAME.pem` and `NAME.key`.
    ///
    static func make(_ name: String, in directory: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout",
            "\(directory)/\(name).key", "-out", "\(directory)/\(name).pem")
    }

    /// The same, whose time is over.
    static func makeExpired(_ name: String, in directory: String) throws {
        let request = "\(directory)/\(name).csr"
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", "\(directory)/\(name).key", "-out", request)
        try openssl(
            "x509", "-req", "-in", request, "-signkey", "\(directory)/\(name).key", "-days", "-1", "-out",
            "\(directory)/\(name).pem")
    }
}
