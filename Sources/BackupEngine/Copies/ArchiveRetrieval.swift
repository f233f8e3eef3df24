internal import BackupCore

/// Brings copies back from archive classes, from which they cannot be read at once.
struct ArchiveRetrieval {
    let context: VerbContext
    let observer: ProgressObserver

    /// Returns when the copy can be read. Without `waits`, one that lies in an archive class is asked back, and the
    /// error says how long that takes.
    func ensureReadable(_ copy: RemoteCopy, in store: RemoteStore, _ waits: Bool) throws {
        var pause = Duration.seconds(1)
        var isTold = false
        while true {
            let state = try context.wait { try await store.archiveState(of: copy) }
            let storageClass: String
            switch state {
            case .readable: return
            case .onItsWay(let name): storageClass = name
            case .archived(let name):
                storageClass = name
                try context.wait { try await store.retrieve(copy) }
            }
            let text =
                "\(copy.place) lies in the storage class \(storageClass) and was asked back, which takes "
                + "\(ArchiveState.duration(of: storageClass)); it then can be read for \(RemoteStore.retrievalDays) days"
            guard waits else { throw BackupError(.remote, text + ": run this again then, or use --wait") }
            if !isTold { observer(.warning(text + "; waiting")) }
            isTold = true
            let length = pause
            try context.wait { try await Task.sleep(for: length) }
            pause = min(pause * 2, .seconds(60))
        }
    }
}
