internal import Foundation
internal import Glibc
internal import Synchronization

extension S3Transfers {
    /// Sends a file. One above ``TransferOptions/singleRequestLimit`` goes in parts, several at a time.
    ///
    /// The upload id is reported before the first part is sent, so that whoever keeps it can go on after a crash: the
    /// parts that the server has, confirmed by their digests, are not sent again. Where the server refuses, or the file
    /// cannot be read, the upload is aborted; where the connection fails, or the task is cancelled, it is left for the
    /// next try.
    ///
    /// - Parameters:
    ///   - session: of an earlier try for the same file and object.
    ///   - began: told of each new session, and of nil when one has ended for good.
    /// - Throws: ``S3Error``, what `began` throws, or `CancellationError`.
    public func upload(
        _ path: String, to object: S3Object, options put: PutOptions = PutOptions(), session: UploadSession? = nil,
        began: @escaping @Sendable (UploadSession?) async throws -> Void = { _ in },
        progress: @escaping Progress = { _, _ in }
    ) async throws -> UploadOutcome {
        let size = try FileSize.of(path)
        if size <= options.singleRequestLimit {
            let outcome = try await uploadAtOnce(path, size, object, put)
            progress(size, size)
            return outcome
        }
        let upload = PartedUpload(
            transfers: self, path: path, size: size, object: object, put: put, began: began, progress: progress)
        return try await upload.run(session)
    }

    private func uploadAtOnce(
        _ path: String, _ size: Int64, _ object: S3Object, _ put: PutOptions
    ) async throws -> UploadOutcome {
        let body = UploadBody.file(FileSlice(path: path, length: size))
        let digests = try await client.digests(of: body, for: .digest)
        let result = try await client.putObject(object, body, digests, options: put)
        return UploadOutcome(
            etag: result.etag, versionID: result.versionID,
            proof: client.proof(of: result, put, etag: digests.md5Hex, crc64nvme: digests.crc64nvmeBase64),
            resumedParts: 0, sentParts: 1)
    }
}

enum FileSize {
    static func of(_ path: String) throws -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw S3Error(.file, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        return Int64(status.st_size)
    }
}

extension S3Client {
    /// What a server's answer proves, given what the parts make.
    func proof(of result: PutResult, _ put: PutOptions, etag: String?, crc64nvme: String?) -> UploadProof? {
        if let crc64nvme, result.crc64nvme == crc64nvme { return .serverChecksum }
        let etagTells: Bool =
            switch put.encryption {
            case nil, .s3: configuration.profile.etagIsMD5
            case .kms, .customerKey: false
            }
        guard etagTells, let etag else { return nil }
        return result.etag.trimmingQuotes.lowercased() == etag ? .etag : nil
    }
}

/// The ETag of an object in parts, as far as ETags are MD5s.
enum MultipartETag {
    /// `md5(concatenated MD5s of the parts)-N`, in lower case without quotes, from what the server called the parts; nil
    /// where one of them is no MD5.
    static func of(_ parts: [UploadedPart]) -> String? {
        var digests: [ContentDigests] = []
        for part in parts.sorted(by: { $0.number < $1.number }) {
            guard let md5 = Hexadecimal.decode(part.etag.trimmingQuotes), md5.count == 16 else { return nil }
            digests.append(ContentDigests(size: part.size ?? 0, md5: md5))
        }
        return MultipartChecksum(digests).compositeETag
    }
}

extension String {
    var trimmingQuotes: String {
        count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self
    }
}
