import BackupCore
import BackupEngine
import Glibc
import Logging
import Synchronization

/// Runs one verb and kills its own process, as `kill -9` does, when a named step is reached for the n-th time.
///
///     CrashHarness backup  DIRECTORY DATABASE        STEP OCCURRENCE
///     CrashHarness delete  DIRECTORY BACKUP          STEP OCCURRENCE
///     CrashHarness restore DIRECTORY ARCHIVE TARGET  STEP OCCURRENCE
///
/// A restore proves its target, and replaces the rows of one that is there. The exit status is 0 where the step was
/// never reached, 1 where the verb failed, 64 where the arguments are wrong.
@main
struct CrashHarness {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 5, let occurrence = Int(arguments[arguments.count - 1]),
            let step = ProgressEvent.Step(rawValue: arguments[arguments.count - 2])
        else { exit(64) }
        do {
            let trap = StepTrap(step: step, occurrence: occurrence)
            var configuration = EngineConfiguration(backupDirectory: arguments[1])
            configuration.remote = store()
            let engine = try await BackupEngine.open(
                configuration: configuration, logger: Logger(label: "crash"),
                observer: { trap.observe($0) })
            switch (arguments[0], arguments.count) {
            case ("backup", 5):
                var request = BackupRequest()
                request.source = .sqlite(path: arguments[2])
                _ = try await engine.backup(request)
            case ("delete", 5):
                _ = try await engine.delete(BackupReference(arguments[2]))
            case ("restore", 6):
                var request = RestoreRequest(
                    backup: BackupReference(arguments[2]), target: .sqlite(path: arguments[3]))
                request.prove = true
                request.clearExisting = true
                _ = try await engine.restore(request)
            default: exit(64)
            }
            exit(0)
        } catch {
            let text = "\(error)\n"
            _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            exit(1)
        }
    }

    /// The store that `CRASH_S3_BUCKET` and its like name, where they do.
    private static func store() -> RemoteSettings? {
        func variable(_ name: String) -> String? { getenv("CRASH_S3_" + name).map { String(cString: $0) } }
        guard let bucket = variable("BUCKET") else { return nil }
        var store = StoreSettings(name: "s3", bucket: bucket)
        store.endpoint = variable("ENDPOINT")
        store.keys = StoreSettings.Keys(
            accessKey: variable("ACCESS_KEY") ?? "", secretKey: Secret(variable("SECRET_KEY") ?? ""))
        return RemoteSettings(isEnabled: true, primary: store)
    }
}

/// Waits for its step and ends the process there.
private final class StepTrap: Sendable {
    private let step: ProgressEvent.Step
    private let left: Atomic<Int>

    init(step: ProgressEvent.Step, occurrence: Int) {
        self.step = step
        left = Atomic(occurrence)
    }

    func observe(_ event: ProgressEvent) {
        guard event == .step(step), left.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 else { return }
        kill(getpid(), SIGKILL)
        // The signal ends this thread too, at the latest when it next returns to user space.
        while true { pause() }
    }
}
