package import BackupCore
package import BackupEngine
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// The service: the HTTP API, the scheduler, and what runs on behalf of both.
package struct BackupService: Sendable {
    private let engine: BackupEngine
    private let settings: ServiceSettings
    private let logger: Logger
    private let elder: ElderTokenVerifier?
    private let certificate: ServerCertificate?

    /// - Throws: `configuration` for a key or a certificate that is not there, not good, or too weak.
    package init(engine: BackupEngine, settings: ServiceSettings, logger: Logger) async throws(BackupError) {
        self.engine = engine
        self.settings = settings
        self.logger = logger
        certificate = try settings.tls.map { files throws(BackupError) in try ServerCertificate(files) }
        let keys = settings.elder
        guard keys.hasKeys else {
            elder = nil
            return
        }
        elder = try await ElderTokenVerifier(
            secret: keys.secret, publicKeyFiles: keys.publicKeyFiles, issuer: keys.issuer, audience: keys.audience)
    }

    /// Serves until its task is cancelled: then no new run begins, those that go on end, and the answers are sent.
    ///
    /// - Parameter listening: told of the port once connections are accepted.
    /// - Throws: `configuration` where the address cannot be listened on.
    package func run(listening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let runs = RunSupervisor(engine: engine, settings: settings, logger: logger)
        let shelf = ArchiveShelf(engine: engine, settings: settings)
        let teller = MissedRunTeller(engine: engine, patience: settings.announcementPatience, logger: logger)
        let scheduler = Scheduler(
            engine: engine, runs: runs, teller: teller, catchesUp: settings.catchesUp, logger: logger)
        let refused = RefusedSignIns(engine: engine, logger: logger, interval: settings.refusalInterval)
        // Told to stop in the opposite order, one after the other: first what begins runs, then what waits for them.
        var services: [any Service] = [
            refused, application(runs, shelf, refused, listening), shelf, teller, runs, scheduler,
        ]
        if let certificate {
            services.append(
                CertificateWatch(certificate: certificate, interval: settings.certificateInterval, logger: logger))
        }
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        // For the runs, those that are told of them, those that are told of missed ones, and what is being sent.
        configuration.maximumGracefulShutdownDuration =
            settings.shutdownPatience + settings.announcementPatience * 2 + settings.limits.stopTime + .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        // Cancellation would cut off what goes on; it is an order to come to an end instead.
        let serving = Task { try await group.run() }
        do {
            try await withTaskCancellationHandler {
                try await serving.value
            } onCancel: {
                Task { await group.triggerGracefulShutdown() }
            }
        } catch let error as IOError {
            throw BackupError(
                .configuration,
                "cannot listen on \(settings.host):\(settings.port): \(error); set BACKUP_LISTEN to a free address")
        }
    }

    private func application(
        _ runs: RunSupervisor, _ shelf: ArchiveShelf, _ refused: RefusedSignIns,
        _ listening: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let registry = MetricsRegistry(MetricDefinition.all)
        let collector = MetricsCollector(engine: engine, registry: registry, logger: logger)
        let probe = ReadinessProbe(engine, minimumFree: settings.minimumFree)
        let routes =
            HealthRoutes(probe: probe, runs: runs).all + JobRoutes(engine: engine, runs: runs).all
            + RunRoutes(engine: engine, runs: runs).all + AuditRoutes(engine: engine).all
            + BackupRoutes(engine: engine, runs: runs, shelf: shelf).all
            + ExchangeRoutes(engine: engine, runs: runs, settings: settings).all
            + MetricsRoutes(collector: collector, runs: runs, isPublic: settings.hasPublicMetrics).all
        let table = RouteTable(DescriptionRoutes.added(to: routes))
        let router = Router(context: ServiceContext.self)
        router.add(middleware: HTTPMetricsMiddleware(registry: registry, routes: table))
        router.add(middleware: AccessLogMiddleware())
        router.add(middleware: FailureMiddleware(routes: table, isSecure: certificate != nil))
        router.add(middleware: authentication(table, refused))
        router.add(middleware: BodyLimit(routes: table, largestImport: settings.largestImport))
        table.register(in: router)
        let (limits, certificate) = (settings.limits, certificate)
        return Application(
            router: router,
            server: HTTPServerBuilder { GuardedChannel(responder: $0, limits: limits, certificate: certificate) },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "elder-backup",
                availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private func authentication(_ table: RouteTable, _ refused: RefusedSignIns) -> AuthenticationMiddleware {
        AuthenticationMiddleware(
            engine: engine, elder: elder,
            roles: ElderRoles(
                engine: engine, admins: settings.elder.admins, looksUp: settings.elder.looksUp, logger: logger),
            routes: table, addresses: ClientAddress(proxies: settings.trustedProxies),
            signIns: SignInGuard(limit: settings.signInLimit), refused: refused,
            rates: RateLimiter(limit: settings.rateLimit))
    }
}
