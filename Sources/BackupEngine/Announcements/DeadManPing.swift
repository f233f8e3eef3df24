internal import BackupCore

/// Tells a watchman that a run began and how it ended, as healthchecks.io expects it: who hears nothing raises the alarm.
struct DeadManPing {
    let url: Secret
    var pause = Duration.seconds(1)

    /// The run waits for this, so that it is tried once.
    func start() async -> String? { await send("/start", "", attempts: 1) }

    func end(failure: String?) async -> String? {
        await send(failure == nil ? "" : "/fail", failure ?? "", attempts: 3)
    }

    private func send(_ suffix: String, _ text: String, attempts: Int) async -> String? {
        // A query stays behind the path.
        let parts = url.revealed.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = String(parts.first ?? "")
        while path.hasSuffix("/") { path.removeLast() }
        let address = path + suffix + (parts.count > 1 ? "?" + parts[1] : "")
        let call = WebCall(
            url: Secret(address), headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: Array(text.utf8.prefix(4000)), attempts: attempts, pause: pause)
        return await call.send().map {
            "the ping of the run's \(suffix == "/start" ? "beginning" : "end") failed: \($0)"
        }
    }
}
