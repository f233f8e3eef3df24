internal import BackupCore
internal import S3Client
internal import Synchronization

/// A copy's row of the catalog while work on the copy goes on: every change is written down at once.
final class CopyRow: Sendable {
    private let catalog: any CatalogStore
    private let state: Mutex<RemoteCopy>

    init(_ copy: RemoteCopy, _ catalog: any CatalogStore) {
        self.catalog = catalog
        state = Mutex(copy)
    }

    var copy: RemoteCopy { state.withLock { $0 } }

    func change(_ change: (inout RemoteCopy) -> Void) throws {
        try state.withLock { copy in
            change(&copy)
            copy.updatedAt = Timestamp.now()
            try catalog.save(copy)
        }
    }

    /// Notes an upload in parts that has begun, or with nil that one has ended.
    func note(_ session: UploadSession?) throws {
        try change { copy in
            copy.session = session.map {
                RemoteCopy.UploadSession(
                    uploadID: $0.uploadID, partSize: $0.partSize, token: $0.token, startedAt: Timestamp.now())
            }
        }
    }
}

extension RemoteCopy.UploadSession {
    /// An upload that may be about to begin: where the process dies between the store's answer and the catalog's note of
    /// it, this says where to look.
    static func intent(at now: Timestamp) -> RemoteCopy.UploadSession {
        RemoteCopy.UploadSession(uploadID: nil, partSize: 1, token: "intent", startedAt: now)
    }

    /// As the transfer goes on with it; nil for an intent.
    var transferSession: UploadSession? {
        uploadID.map { UploadSession(uploadID: $0, partSize: partSize, token: token) }
    }
}
