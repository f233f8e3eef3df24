internal import Foundation
internal import Synchronization

/// One upload in parts, from its begin or from where an earlier try stopped.
struct PartedUpload: Sendable {
    let transfers: S3Transfers
    let path: String
    /// In bytes.
    let size: Int64
    let object: S3Object
    let put: PutOptions
    let began: @Sendable (UploadSession?) async throws -> Void
    let progress: S3Transfers.Progress

    /// A part that the server has, with our own digests of it.
    private struct Sent: Sendable {
        var part: UploadedPart
        var digests: ContentDigests
        var length: Int64
    }

    private var client: S3Client { transfers.client }

    func run(_ earlier: UploadSession?) async throws -> UploadOutcome {
        if let earlier {
            if let finished = try await finishedBefore(earlier) { return finished }
            if let confirmed = try await confirmed(earlier) { return try await run(earlier, having: confirmed) }
            try await began(nil)
        }
        let partSize = try transfers.options.partSize(forObjectOf: size, profile: client.configuration.profile)
        let token = UUID().uuidString.lowercased()
        var options = put
        options.metadata[S3Client.uploadToken] = token
        let id = try await client.createMultipartUpload(object, options: options)
        let session = UploadSession(uploadID: id, partSize: partSize, token: token)
        do {
            try await began(session)
        } catch {
            try await client.abortMultipartUpload(object, uploadID: id)
            throw error
        }
        return try await run(session, having: [])
    }

    private func run(_ session: UploadSession, having confirmed: [Sent]) async throws -> UploadOutcome {
        do {
            let outcome = try await send(session, having: confirmed)
            try await began(nil)
            return outcome
        } catch let error as S3Error where isLasting(error) {
            // What cannot be mended by trying again must not lie about and cost money.
            if (try? await abort(session)) != nil { try await began(nil) }
            throw error
        }
    }

    /// Whether another try, later, would fail alike. A server that is overloaded or broken keeps what it has.
    private func isLasting(_ error: S3Error) -> Bool {
        switch error.kind {
        case .service: !RetryDecision.isThrottling(error) && (error.status ?? 500) < 500
        case .integrity, .file, .configuration: true
        default: false
        }
    }

    private func send(_ session: UploadSession, having confirmed: [Sent]) async throws -> UploadOutcome {
        let have = Set(confirmed.map(\.part.number))
        let missing = TransferPart.all(ofObjectOf: size, partSize: session.partSize).filter {
            !have.contains($0.number)
        }
        let done = Mutex(confirmed.reduce(0) { $0 + $1.length })
        progress(done.withLock { $0 }, size)
        let sent = try await transfers.forEach(missing) { part, gate in
            let sent = try await send(part, session, gate)
            progress(
                done.withLock {
                    $0 += part.length
                    return $0
                }, size)
            return sent
        }
        let all = (confirmed + sent).sorted { $0.part.number < $1.part.number }
        let crc = MultipartChecksum(all.map(\.digests)).fullObject.crc64nvmeBase64
        let result = try await client.completeMultipartUpload(
            object, uploadID: session.uploadID, parts: all.map(\.part),
            expecting: S3Client.ExpectedObject(
                token: session.token, size: size, customerKey: put.encryption?.customerKey, crc64nvme: crc,
                onlyIfAbsent: put.onlyIfAbsent))
        try await client.ensureLock(of: object, versionID: result.versionID, put)
        return UploadOutcome(
            etag: result.etag, versionID: result.versionID,
            proof: client.proof(of: result, put, etag: MultipartETag.of(all.map(\.part)), crc64nvme: crc),
            resumedParts: confirmed.count, sentParts: sent.count)
    }

    private func send(_ part: TransferPart, _ session: UploadSession, _ gate: ConcurrencyGate) async throws -> Sent {
        let body = UploadBody.file(FileSlice(path: path, offset: part.range.lowerBound, length: part.length))
        let digests = try await client.digests(of: body, for: .part(isLocked: put.lock != nil))
        let uploaded = try await client.uploadPart(
            object, uploadID: session.uploadID, number: part.number, body, digests, put,
            throttled: { Task { await gate.throttle() } })
        return Sent(part: uploaded, digests: digests, length: part.length)
    }

    /// The parts of an earlier try that are surely ours; nil where the upload is gone.
    private func confirmed(_ session: UploadSession) async throws -> [Sent]? {
        let listed: [UploadedPart]
        do {
            listed = try await client.listParts(object, uploadID: session.uploadID)
        } catch let error as S3Error where error.code == "NoSuchUpload" || error.status == 404 {
            return nil
        }
        let expected = Dictionary(
            TransferPart.all(ofObjectOf: size, partSize: session.partSize).map { ($0.number, $0) },
            uniquingKeysWith: { first, _ in first })
        // Parts beyond the file's end are of another file, and some servers complete all parts or none.
        guard listed.allSatisfy({ expected[$0.number] != nil }) else {
            try await abort(session)
            return nil
        }
        let candidates = listed.filter { expected[$0.number]?.length == $0.size }
        return try await transfers.forEach(candidates) { listed, _ -> Sent? in
            guard let part = expected[listed.number] else { return nil }
            let body = UploadBody.file(FileSlice(path: path, offset: part.range.lowerBound, length: part.length))
            let digests = try await client.listedDigests(of: body)
            let isOurs =
                // Also where an ETag need not be an MD5: one that is this part's is so by no accident.
                if let crc = listed.crc64nvme { crc == digests.crc64nvmeBase64 } else {
                    listed.etag.trimmingQuotes == digests.md5Hex
                }
            return isOurs ? Sent(part: listed, digests: digests, length: part.length) : nil
        }.compactMap { $0 }
    }

    /// The outcome of an earlier try whose last answer was lost.
    private func finishedBefore(_ session: UploadSession) async throws -> UploadOutcome? {
        let head: ObjectHead
        do {
            head = try await client.headObject(
                object, options: ReadOptions(customerKey: put.encryption?.customerKey))
        } catch let error as S3Error where error.kind == .service {
            return nil
        }
        guard head.metadata[S3Client.uploadToken] == session.token, head.size == size else { return nil }
        let parts = TransferPart.all(ofObjectOf: size, partSize: session.partSize)
        let digests = try await transfers.forEach(parts) { part, _ in
            let body = UploadBody.file(FileSlice(path: path, offset: part.range.lowerBound, length: part.length))
            return (part.number, try await client.listedDigests(of: body))
        }.sorted { $0.0 < $1.0 }
        let checksum = MultipartChecksum(digests.map(\.1))
        let result = PutResult(etag: head.etag, versionID: head.versionID, crc64nvme: head.crc64nvme)
        let outcome = UploadOutcome(
            etag: head.etag, versionID: head.versionID,
            proof: client.proof(
                of: result, put, etag: checksum.compositeETag, crc64nvme: checksum.fullObject.crc64nvmeBase64),
            resumedParts: parts.count, sentParts: 0)
        try await began(nil)
        return outcome
    }

    /// A part that was on its way may land after the first abort.
    private func abort(_ session: UploadSession) async throws {
        for _ in 0..<5 {
            try await client.abortMultipartUpload(object, uploadID: session.uploadID)
            do {
                _ = try await client.listParts(object, uploadID: session.uploadID)
            } catch let error as S3Error where error.code == "NoSuchUpload" || error.status == 404 {
                return
            }
        }
    }
}
