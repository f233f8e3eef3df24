internal import Foundation

extension S3Transfers {
    /// Copies an object within one store; in parts where it is above what one request may copy.
    ///
    /// - Returns: what the server says; a copy in parts has another ETag than its source.
    public func copy(
        _ source: S3Object, size: Int64, to target: S3Object, options copy: CopyOptions = CopyOptions()
    ) async throws -> PutResult {
        guard size > client.configuration.profile.largestCopy else {
            return try await client.copyObject(from: source, to: target, options: copy)
        }
        let token = UUID().uuidString.lowercased()
        var put = copy.put
        put.metadata[S3Client.uploadToken] = token
        let id = try await client.createMultipartUpload(target, options: put)
        do {
            let largest = client.configuration.profile.largestCopy
            let parts = TransferPart.all(ofObjectOf: size, partSize: min(largest, 512 << 20))
            let done = try await forEach(parts) { part, _ in
                try await client.uploadPartCopy(
                    target, uploadID: id, number: part.number, from: source, range: part.range, options: copy)
            }
            let result = try await client.completeMultipartUpload(
                target, uploadID: id, parts: done,
                expecting: .init(token: token, size: size, customerKey: copy.put.encryption?.customerKey))
            try await client.ensureLock(of: target, versionID: result.versionID, copy.put)
            return result
        } catch {
            try await client.abortMultipartUpload(target, uploadID: id)
            throw error
        }
    }

    /// Copies an object to another store through memory, a few parts at a time.
    ///
    /// - Parameter target: its ``TransferOptions`` hold for the sending.
    /// - Returns: the outcome on the other store, proven as an upload is.
    public func copy(
        _ source: S3Object, head: ObjectHead, read: ReadOptions = ReadOptions(), to target: S3Object,
        through other: S3Transfers, options put: PutOptions, progress: @escaping Progress = { _, _ in }
    ) async throws -> UploadOutcome {
        var read = read
        if !head.etag.isEmpty { read.ifMatch = head.etag }
        let relay = StoreRelay(
            from: self, source: source, read: read, size: head.size, to: other, target: target, put: put,
            progress: progress)
        return try await relay.run()
    }
}
