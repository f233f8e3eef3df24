internal import BackupCore
internal import BackupEngine
internal import ServiceLifecycle
internal import Synchronization

/// The archives that are being downloaded. However many ask for one at a time, it is looked for, checked or fetched once;
/// what was fetched is shared by all who read it, and kept for a moment for those who come back for the next stretch.
///
/// What is fetched takes room on the disk: so many are there at a time, those that nobody reads make room.
final class ArchiveShelf: Service {
    private struct Fetched {
        var archive: OpenedArchive
        var readers = 0
        /// What nobody reads goes then.
        var end: ContinuousClock.Instant
    }

    private struct State {
        var opening: [Int64: Task<OpenedArchive, any Error>] = [:]
        var fetched: [Int64: Fetched] = [:]
        var isStopping = false
    }

    private let engine: BackupEngine
    private let linger: Duration
    private let places: Places
    private let state = Mutex(State())

    init(engine: BackupEngine, settings: ServiceSettings) {
        self.engine = engine
        linger = settings.fetchedLinger
        places = Places(limit: settings.mostFetched)
    }

    /// Opens a backup's archive, or takes part in one that is open.
    ///
    /// - Throws: as the engine does; `Refusal` where too many are fetched already, or the service is about to stop.
    func open(_ id: Int64) async throws -> any DownloadableFile {
        if let reading = reading(id) { return reading }
        let task = try state.withLock { state in
            if let task = state.opening[id] { return task }
            guard !state.isStopping else { throw ArchiveShelf.stopping }
            let task = Task { try await self.bring(id) }
            state.opening[id] = task
            return task
        }
        do {
            let archive = try await task.value
            return archive.isFetched ? reading(id, archive) : archive
        } catch let error as BackupError where error.code == .cancelled && state.withLock({ $0.isStopping }) {
            throw ArchiveShelf.stopping
        }
    }

    private static let stopping = Refusal.busy("the service is about to stop; ask again later")

    private func bring(_ id: Int64) async throws -> OpenedArchive {
        let result: Result<OpenedArchive, any Error>
        do {
            result = .success(try await engine.openArchive(BackupReference("\(id)")) { try self.admit() })
        } catch {
            result = .failure(error)
        }
        state.withLock { state in
            state.opening[id] = nil
            guard case .success(let archive) = result, archive.isFetched, !state.isStopping else { return }
            state.fetched[id] = Fetched(archive: archive, end: .now + linger)
        }
        return try result.get()
    }

    private func admit() throws -> Place {
        if let place = places.take() { return place }
        dropIdle { _ in true }
        if let place = places.take() { return place }
        throw Refusal.busy(
            "\(places.limit) archives are being fetched from stores to be downloaded, and no more may; ask again later")
    }

    // MARK: - Readers

    /// Nil where it is not there.
    private func reading(_ id: Int64) -> Reading? {
        let archive = state.withLock { state in
            state.fetched[id]?.readers += 1
            return state.fetched[id]?.archive
        }
        return archive.map { Reading(archive: $0, id: id, shelf: self) }
    }

    /// Of one that may have had to make room by now.
    private func reading(_ id: Int64, _ archive: OpenedArchive) -> any DownloadableFile {
        let isThere = state.withLock { state in
            guard state.fetched[id]?.archive === archive else { return false }
            state.fetched[id]?.readers += 1
            return true
        }
        return isThere ? Reading(archive: archive, id: id, shelf: self) : archive
    }

    fileprivate func ended(_ reading: Reading) {
        state.withLock { state in
            guard state.fetched[reading.id]?.archive === reading.archive else { return }
            state.fetched[reading.id]?.readers -= 1
            state.fetched[reading.id]?.end = .now + linger
        }
    }

    private func dropIdle(where isOver: (ContinuousClock.Instant) -> Bool) {
        // They give back their places when they go, which is not to happen under the lock.
        let dropped = state.withLock { state in
            let idle = state.fetched.filter { $0.value.readers == 0 && isOver($0.value.end) }
            for id in idle.keys { state.fetched[id] = nil }
            return idle
        }
        withExtendedLifetime(dropped) {}
    }

    // MARK: - The end

    /// Lets go of what nobody has read for a while. Told to stop it ends what is being fetched: there would be no time
    /// left to send it.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: min(.seconds(5), self.linger))
                self.dropIdle { $0 <= .now }
            }
        }
        let opening = state.withLock { state in
            state.isStopping = true
            return Array(state.opening.values)
        }
        for task in opening { task.cancel() }
        dropIdle { _ in true }
    }
}

/// One who reads a fetched archive.
private final class Reading: DownloadableFile {
    let archive: OpenedArchive
    let id: Int64
    private let shelf: ArchiveShelf

    init(archive: OpenedArchive, id: Int64, shelf: ArchiveShelf) {
        self.archive = archive
        self.id = id
        self.shelf = shelf
    }

    deinit { shelf.ended(self) }

    var descriptor: Int32 { archive.descriptor }
    var size: Int64 { archive.size }
    var filename: String { archive.filename }
    var mediaType: String { archive.mediaType }
    var entityTag: String? { archive.entityTag }
}
