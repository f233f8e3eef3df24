internal import BackupCore
internal import S3Client

extension RemoteStore {
    /// Deletes a copy, its manifest first: what has no manifest does not count.
    ///
    /// A version that this installation wrote is deleted as that version; on a bucket with versions a plain delete would
    /// hide it and free nothing.
    ///
    /// - Parameters:
    ///   - found: the archive as looked up just before; nil where it is gone.
    ///   - mayDelete: whether an object is one that may be deleted.
    func delete(
        _ copy: RemoteCopy, found: RemoteObject?, mayDelete: (RemoteObject) -> Bool
    ) async throws {
        let manifest = manifest(copy)
        let options = readOptions(copy, versionID: copy.manifestVersionID)
        if let object = try await look(at: manifest, options), mayDelete(object) {
            try await perform("delete", manifest) {
                _ = try await client.deleteObject(manifest, versionID: copy.manifestVersionID ?? object.versionID)
            }
        }
        guard let found else { return }
        let archive = object(copy)
        try await perform("delete", archive) {
            _ = try await client.deleteObject(archive, versionID: copy.versionID ?? found.versionID)
        }
    }

    /// Forgets an upload that was begun and will not be finished. Only what the catalog knows as its own is aborted.
    func abort(_ session: RemoteCopy.UploadSession, of copy: RemoteCopy) async throws {
        let target = object(copy)
        try await perform("abort the upload of", target) {
            if let uploadID = session.uploadID {
                try await client.abortMultipartUpload(target, uploadID: uploadID)
                return
            }
            // The process ended between the store's answer and the catalog's note of it: such an upload has this very
            // key, began after the intent was noted, and has no part yet.
            let earliest = session.startedAt.microseconds / 1_000_000 - RemoteStore.clockTolerance
            for upload in try await client.listMultipartUploads(in: target.bucket, prefix: target.key)
            where upload.key == target.key && (upload.initiated ?? 0) >= earliest {
                if try await client.listParts(target, uploadID: upload.uploadID).isEmpty {
                    try await client.abortMultipartUpload(target, uploadID: upload.uploadID)
                }
            }
        }
    }

    /// By how much the store's clock may be behind, in seconds.
    private static let clockTolerance: Int64 = 900
}

/// An archive in a store's listing.
struct ListedArchive: Sendable {
    var key: String
    /// What follows the prefix.
    var filename: String
    /// In bytes.
    var size: Int64
    var storageClass: String?
    var hasManifest: Bool
}

extension RemoteStore {
    /// The archives under the prefix, by name.
    func archives() async throws -> [ListedArchive] {
        let bucket = settings.bucket
        return try await perform("list", S3Object(bucket, settings.prefix)) {
            var archives: [ListedArchive] = []
            var manifests: Set<String> = []
            for try await listed in client.listObjects(in: bucket, prefix: settings.prefix) {
                let filename = String(listed.key.dropFirst(settings.prefix.count))
                guard filename.hasPrefix("backup_"), !filename.contains("/") else { continue }
                if filename.hasSuffix(ArchiveName.fileExtension) {
                    archives.append(
                        ListedArchive(
                            key: listed.key, filename: filename, size: listed.size,
                            storageClass: listed.storageClass, hasManifest: false))
                } else if filename.hasSuffix(ArchiveName.fileExtension + RemoteStore.manifestSuffix) {
                    manifests.insert(filename)
                }
            }
            return archives.map { archive in
                var archive = archive
                archive.hasManifest = manifests.contains(archive.filename + RemoteStore.manifestSuffix)
                return archive
            }
        }
    }
}
