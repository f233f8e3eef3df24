internal import BackupCore
internal import S3Client

extension RemoteStore {
    /// Whether the server can copy from the other store by itself: one endpoint, one key.
    func sharesServer(with other: RemoteStore) -> Bool {
        endpoint == other.endpoint && settings.keys == other.settings.keys
    }

    /// Copies another store's copy here: within the server where both are on one, else through memory.
    ///
    /// - Parameter archive: what the copy must be; its file is not read, its manifest goes last.
    func replicate(
        _ source: RemoteCopy, of store: RemoteStore, as copy: RemoteCopy, _ archive: OutgoingArchive,
        progress: @escaping Progress
    ) async throws -> StoredArchive {
        let from = store.object(source)
        let read = store.readOptions(source, versionID: source.versionID)
        return try await arrive(archive, as: copy) { put in
            let head = try await store.perform("read", from) {
                try await store.client.headObject(from, options: read)
            }
            guard head.size == archive.file.size else {
                throw BackupError(
                    .damaged,
                    "s3://\(from) on \(store.name) has \(head.size) bytes, the backup has \(archive.file.size): it is "
                        + "not copied")
            }
            guard sharesServer(with: store) else {
                return Arrival(
                    try await store.transfers.copy(
                        from, head: head, read: read, to: object(copy), through: transfers, options: put,
                        progress: progress))
            }
            return try await copyWithin(from, head, read, to: object(copy), put, progress)
        }
    }

    private func copyWithin(
        _ from: S3Object, _ head: ObjectHead, _ read: ReadOptions, to target: S3Object, _ put: PutOptions,
        _ progress: Progress
    ) async throws -> Arrival {
        var options = CopyOptions()
        options.put = put
        options.put.onlyIfAbsent = false
        options.replacesMetadata = true
        options.sourceVersionID = read.versionID
        options.sourceCustomerKey = read.customerKey
        options.sourceIfMatch = head.etag.isEmpty ? nil : head.etag
        let result = try await transfers.copy(from, size: head.size, to: target, options: options)
        progress(head.size, head.size)
        // The copy of a plain object has the MD5 of its bytes for an ETag, as the source has: read back is what does
        // not. Where either is encrypted with a key, an ETag says nothing.
        let isPlain = !head.etag.isEmpty && !head.etag.contains("-") && head.encryption == nil && put.encryption == nil
        let isSame = client.configuration.profile.etagIsMD5 && isPlain && result.etag == head.etag
        return Arrival(etag: result.etag, versionID: result.versionID, proof: isSame ? .etag : nil)
    }
}
