internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The words of the libraries below, in those of an operator.
enum TransportFailure {
    static let closedWithoutAnswer = "the server closed the connection without an answer"

    static func error(_ error: any Error) -> S3Error {
        switch error {
        case let error as S3Error: error
        case let error as HTTPClientError: S3Error(kind(of: error), text(of: error))
        case let error as NIOConnectionError: S3Error(.transport, text(of: error))
        case let error as NIOSSLError: S3Error(.transport, text(ofTLS: "\(error)"))
        case let error as NIOSSLExtraError: S3Error(.transport, text(ofTLS: "\(error)"))
        case let error as IOError: S3Error(.transport, text(of: error))
        case let error as ChannelError: S3Error(.transport, text(of: error))
        default: S3Error(.transport, "the connection failed: \(error)")
        }
    }

    private static func kind(of error: HTTPClientError) -> S3Error.Kind {
        switch error {
        case .deadlineExceeded: .deadline
        case .invalidURL, .emptyHost, .alreadyShutdown: .configuration
        default: .transport
        }
    }

    private static func text(of error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout: "the server did not accept a connection in time; check the endpoint's host and port"
        case .tlsHandshakeTimeout:
            "the server did not answer the TLS handshake in time; is the port one for https?"
        case .readTimeout: "the server stayed silent for too long"
        case .writeTimeout: "the server stopped taking data"
        case .remoteConnectionClosed: closedWithoutAnswer
        case .deadlineExceeded: "no answer within the time allowed"
        case .proxyAuthenticationRequired: "the proxy asks for a user name and a password; put them into its address"
        case .invalidProxyResponse, .httpProxyHandshakeTimeout: "the proxy does not answer as a proxy does"
        default: "the connection failed: \(error.shortDescription)"
        }
    }

    private static func text(of error: NIOConnectionError) -> String {
        if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
            return "the name \(error.host) is not known; check the endpoint, and this machine's name resolution"
        }
        guard let first = error.connectionErrors.first?.error as? IOError else {
            return "no connection to \(error.host), port \(error.port)"
        }
        let reason = String(cString: strerror(first.errnoCode))
        return
            "no connection to \(error.host), port \(error.port): \(reason); check the endpoint, and that the server runs"
    }

    private static func text(of error: IOError) -> String {
        let reason = String(cString: strerror(error.errnoCode))
        switch error.errnoCode {
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ETIMEDOUT, EADDRNOTAVAIL:
            return "no connection: \(reason); check the endpoint, and that the server runs"
        default: return "the connection broke: \(reason)"
        }
    }

    private static func text(of error: ChannelError) -> String {
        switch error {
        case .connectTimeout: "the server did not accept a connection in time; check the endpoint's host and port"
        case .inputClosed, .outputClosed, .eof, .ioOnClosedChannel, .alreadyClosed:
            "the server closed the connection in the middle"
        default: "the connection failed: \(error)"
        }
    }

    private static func text(ofTLS text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "the server's certificate is not from an authority that is trusted here, or not for this name; "
                + "give the authority's file in AWS_CA_BUNDLE, or correct the endpoint"
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return "the server does not speak TLS on this port; should the endpoint begin with http://?"
        }
        let names = ["failedToValidateHostname", "unableToValidateCertificate", "noCertificateToValidate"]
        if names.contains(where: { text.contains($0) }) {
            return "the server's certificate is not for the endpoint's name"
        }
        return "the TLS connection failed: \(text)"
    }
}
