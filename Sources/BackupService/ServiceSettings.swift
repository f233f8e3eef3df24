package import BackupCore

/// How the service listens, whom it lets in, and how it schedules.
package struct ServiceSettings: Sendable {
    /// An address of this machine, or a name of one.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 5000
    /// Nil: HTTP without TLS.
    package var tls: TLSFiles?
    /// How often the files are looked at.
    package var certificateInterval: Duration = .seconds(60)
    package var limits = ServerLimits()
    package var elder = ElderSettings()
    /// The proxies that are believed whom they speak for.
    package var trustedProxies: [AddressBlock] = []
    /// Requests per minute of one caller; 0 for no limit.
    package var rateLimit = 600_000
    /// Wrong tokens per minute of one address, or with one beginning, before nothing more is looked at; 0 for no limit.
    package var signInLimit = 10
    /// How often refused sign-ins are written into the audit log, together.
    package var refusalInterval: Duration = .seconds(60)
    /// In bytes, below `BACKUP_DIR`: with less the service is not ready.
    package var minimumFree: Int64 = 100 << 20
    /// Whether a run that was missed while the service was away is made up for when it starts.
    package var catchesUp = true
    /// How long runs may go on once the service is told to stop.
    package var shutdownPatience: Duration = .seconds(600)
    /// How long those that are told of runs, and then of missed ones, are waited for after that.
    package var announcementPatience: Duration = .seconds(20)
    /// How many backups, restores, verifications and uploads go on at a time (`BACKUP_MAX_RUNS`).
    package var maximumRuns = 2
    /// How many more may wait for their turn (`BACKUP_MAX_QUEUE`).
    package var longestQueue = 100
    /// The largest file that may be sent to be imported, in bytes.
    package var largestImport: Int64 = 10 << 30
    /// How many imports may be received, wait or go on at a time: each has a file of that size on the disk.
    package var mostImports = 4
    /// How many archives may lie fetched from stores on the disk at a time, to be downloaded.
    package var mostFetched = 4
    /// How long one of them is kept when nobody reads it any more.
    package var fetchedLinger: Duration = .seconds(60)
    /// Whether metrics are told to everyone, and not only to those with a token.
    package var hasPublicMetrics = false

    package init() {}

    /// In bytes: a shorter key of HS256 can be guessed (RFC 7518, section 3.2).
    package static let shortestKey = 32

    /// Whether requests can be read on their way.
    package var isExposed: Bool {
        tls == nil && host != "localhost" && !(NetworkAddress(host)?.isLoopback ?? false)
    }
}

/// Where the server's certificate lies: PEM, the chain with the server's own first, and its key.
package struct TLSFiles: Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Which tokens of Elder open the API.
package struct ElderSettings: Sendable {
    /// Of HS256; nil lets no token of it in.
    package var secret: Secret?
    /// Of RS256 and ES256, in PEM.
    package var publicKeyFiles: [String] = []
    /// What a token's `iss` and `aud` must say; nil for anything.
    package var issuer: String?
    package var audience: String?
    /// The subjects that count as admins: `7`, or `access:7` and `portal_user:7` for one kind of token.
    package var admins: Set<String> = []
    /// Whether Elder's database is asked who else is an admin.
    package var looksUp = false

    package init() {}

    /// Whether any token of Elder can be good.
    var hasKeys: Bool { secret != nil || !publicKeyFiles.isEmpty }
}
