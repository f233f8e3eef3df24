internal import Foundation
internal import Synchronization

/// Carries one object from a store to another, a part at a time through memory.
struct StoreRelay: Sendable {
    let from: S3Transfers
    let source: S3Object
    let read: ReadOptions
    /// In bytes.
    let size: Int64
    let to: S3Transfers
    let target: S3Object
    let put: PutOptions
    let progress: S3Transfers.Progress

    func run() async throws -> UploadOutcome {
        if size <= to.options.singleRequestLimit { return try await runAtOnce() }
        let token = UUID().uuidString.lowercased()
        var options = put
        options.metadata[S3Client.uploadToken] = token
        let id = try await to.client.createMultipartUpload(target, options: options)
        do {
            return try await runInParts(id, token)
        } catch {
            try await to.client.abortMultipartUpload(target, uploadID: id)
            throw error
        }
    }

    private func runAtOnce() async throws -> UploadOutcome {
        let range = size > 0 ? 0..<size : nil
        let bytes = try await from.client.getObject(source, range: range, options: read, limit: Int(size)).body
        let body = UploadBody.bytes(bytes)
        let digests = try await to.client.digests(of: body, for: .digest)
        let result = try await to.client.putObject(target, body, digests, options: put)
        progress(size, size)
        return UploadOutcome(
            etag: result.etag, versionID: result.versionID,
            proof: to.client.proof(of: result, put, etag: digests.md5Hex, crc64nvme: digests.crc64nvmeBase64),
            resumedParts: 0, sentParts: 1)
    }

    private func runInParts(_ id: String, _ token: String) async throws -> UploadOutcome {
        let partSize = try to.options.partSize(forObjectOf: size, profile: to.client.configuration.profile)
        let parts = TransferPart.all(ofObjectOf: size, partSize: partSize)
        let done = Mutex(Int64(0))
        let sent = try await to.forEach(parts) { part, gate in
            await to.budget.take(part.length)
            do {
                let result = try await carry(part, id, gate)
                await to.budget.giveBack(part.length)
                progress(
                    done.withLock {
                        $0 += part.length
                        return $0
                    }, size)
                return result
            } catch {
                await to.budget.giveBack(part.length)
                throw error
            }
        }.sorted { $0.0.number < $1.0.number }
        let crc = MultipartChecksum(sent.map(\.1)).fullObject.crc64nvmeBase64
        let result = try await to.client.completeMultipartUpload(
            target, uploadID: id, parts: sent.map(\.0),
            expecting: .init(
                token: token, size: size, customerKey: put.encryption?.customerKey, crc64nvme: crc,
                onlyIfAbsent: put.onlyIfAbsent))
        try await to.client.ensureLock(of: target, versionID: result.versionID, put)
        return UploadOutcome(
            etag: result.etag, versionID: result.versionID,
            proof: to.client.proof(of: result, put, etag: MultipartETag.of(sent.map(\.0)), crc64nvme: crc),
            resumedParts: 0, sentParts: sent.count)
    }

    private func carry(
        _ part: TransferPart, _ id: String, _ gate: ConcurrencyGate
    ) async throws -> (UploadedPart, ContentDigests) {
        let bytes = try await from.client.getObject(
            source, range: part.range, options: read, limit: Int(part.length)
        ).body
        let body = UploadBody.bytes(bytes)
        let digests = try await to.client.digests(of: body, for: .part(isLocked: put.lock != nil))
        let uploaded = try await to.client.uploadPart(
            target, uploadID: id, number: part.number, body, digests, put,
            throttled: { Task { await gate.throttle() } })
        return (uploaded, digests)
    }
}
