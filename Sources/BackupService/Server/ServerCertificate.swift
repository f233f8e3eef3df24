internal import BackupCore
internal import Crypto
internal import Foundation
internal import Logging
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle
internal import Synchronization

/// The server's certificate and its key, and what has become of their files since.
final class ServerCertificate: Sendable {
    private struct Loaded {
        var context: NIOSSLContext
        var digest: SHA256Digest
    }

    private let files: TLSFiles
    private let loaded: Mutex<Loaded>

    /// - Throws: `configuration` where a file cannot be read, is no PEM, does not belong to the other, or has expired.
    init(_ files: TLSFiles) throws(BackupError) {
        self.files = files
        loaded = Mutex(try ServerCertificate.load(files, at: Date()))
    }

    /// For a new connection.
    var context: NIOSSLContext { loaded.withLock { $0.context } }

    /// Looks at the files again.
    ///
    /// - Returns: whether others are used from now on.
    /// - Throws: `configuration` where they are not good; those that there were go on to be used.
    func reload() throws(BackupError) -> Bool {
        let fresh = try ServerCertificate.load(files, at: Date())
        return loaded.withLock { loaded in
            guard loaded.digest != fresh.digest else { return false }
            loaded = fresh
            return true
        }
    }

    private static func load(_ files: TLSFiles, at now: Date) throws(BackupError) -> Loaded {
        let chain = try read(files.certificate, "BACKUP_TLS_CERTIFICATE_FILE")
        let keyBytes = try read(files.key, "BACKUP_TLS_KEY_FILE")
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes([UInt8](chain)), let leaf = certificates.first
        else { throw wrong("BACKUP_TLS_CERTIFICATE_FILE", files.certificate, "holds no certificate in PEM") }
        guard let key = try? NIOSSLPrivateKey(bytes: [UInt8](keyBytes), format: .pem) else {
            throw wrong("BACKUP_TLS_KEY_FILE", files.key, "holds no private key in PEM without a password")
        }
        let seconds = now.timeIntervalSince1970
        guard Double(leaf.notValidAfter) > seconds else {
            throw wrong(
                "BACKUP_TLS_CERTIFICATE_FILE", files.certificate,
                "expired on \(Timestamp(microseconds: Int64(leaf.notValidAfter) * 1_000_000).sql.prefix(19)) UTC")
        }
        guard Double(leaf.notValidBefore) <= seconds else {
            throw wrong("BACKUP_TLS_CERTIFICATE_FILE", files.certificate, "is not valid yet")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw wrong("BACKUP_TLS_KEY_FILE", files.key, "does not belong to the certificate in \(files.certificate)")
        }
        return Loaded(context: context, digest: SHA256.hash(data: chain + keyBytes))
    }

    private static func read(_ path: String, _ name: String) throws(BackupError) -> Data {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw wrong(name, path, "cannot be read, or has more than 1 MiB")
        }
        return data
    }

    private static func wrong(_ name: String, _ path: String, _ what: String) -> BackupError {
        BackupError(.configuration, "\(name): \(path) \(what); name a file that is right")
    }
}

/// Looks now and then whether there is a new certificate: what renews one need not restart the service.
struct CertificateWatch: Service {
    let certificate: ServerCertificate
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                await look()
            }
        }
    }

    private func look() async {
        do {
            let certificate = certificate
            if try await NIOThreadPool.singleton.runIfActive({ try certificate.reload() }) {
                logger.notice("a new TLS certificate is used from now on")
            }
        } catch is CancellationError {
            // The service ends.
        } catch {
            logger.error("the TLS certificate that there was goes on to be used", metadata: ["error": "\(error)"])
        }
    }
}
