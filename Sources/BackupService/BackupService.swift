package import BackupCore
package import BackupEngine
internal import Hummingbird
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// The service: the HTTP API, the scheduler, and what runs on behalf of both.
package struct BackupService: Sendable {
    private let engine: BackupEngine
    private let settings: ServiceSettings
    private let logger: Logger
    private let elder: ElderTokenVerifier?

    /// - Throws: `configuration` for a key of Elder's tokens that is too short.
    package init(engine: BackupEngine, settings: ServiceSettings, logger: Logger) throws(BackupError) {
        self.engine = engine
        self.settings = settings
        self.logger = logger
        if let key = settings.elderKey {
            elder = try ElderTokenVerifier(key: key, admins: settings.elderAdmins)
        } else {
            elder = nil
        }
    }

    /// Serves until its task is cancelled: then no new run begins, those that go on end, and the answers are sent.
    ///
    /// - Parameter listening: told of the port once connections are accepted.
    /// - Throws: `configuration` where the address cannot be listened on.
    package func run(listening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let runs = RunSupervisor(engine: engine, settings: settings)
        let scheduler = Scheduler(engine: engine, runs: runs, catchesUp: settings.catchesUp, logger: logger)
        let application = application(runs, listening)
        // Told to stop in the opposite order: first what begins nothing new and waits for the runs.
        var configuration = ServiceGroupConfiguration(services: [application, scheduler, runs], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.shutdownPatience + .seconds(30)
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
        _ runs: RunSupervisor, _ listening: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let registry = MetricsRegistry(MetricDefinition.all)
        let collector = MetricsCollector(engine: engine, registry: registry, logger: logger)
        let routes =
            HealthRoutes(engine: engine, runs: runs).all + JobRoutes(engine: engine, runs: runs).all
            + RunRoutes(engine: engine, runs: runs).all + BackupRoutes(engine: engine, runs: runs).all
            + ExchangeRoutes(engine: engine, runs: runs, settings: settings).all
            + MetricsRoutes(collector: collector, runs: runs, isPublic: settings.hasPublicMetrics).all
        let table = RouteTable(DescriptionRoutes.added(to: routes))
        let router = Router(context: ServiceContext.self)
        router.add(middleware: HTTPMetricsMiddleware(registry: registry, routes: table))
        router.add(middleware: AccessLogMiddleware())
        router.add(middleware: FailureMiddleware(routes: table))
        router.add(middleware: AuthenticationMiddleware(engine: engine, elder: elder, routes: table))
        table.register(in: router)
        return Application(
            router: router,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "elder-backup"),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}
