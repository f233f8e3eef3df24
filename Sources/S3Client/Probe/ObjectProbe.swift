internal import Foundation

/// What a key may do with a bucket and what the server does with objects.
struct ObjectProbe {
    private let client: S3Client
    private let probe: S3Probe
    private let object: S3Object
    private let parted: S3Object

    init(_ client: S3Client, _ probe: S3Probe) {
        self.client = client
        self.probe = probe
        let name = probe.prefix + ".check-" + UUID().uuidString.lowercased()
        object = S3Object(probe.bucket, name)
        parted = S3Object(probe.bucket, name + "-parts")
    }

    // MARK: Signature, region, bucket

    func probeBucket(_ report: inout ProbeReport) async throws {
        do {
            let head = try await client.headBucket(probe.bucket)
            report.add(.signature, .pass, "the server knows the key and accepts its signature")
            region(head.region, &report)
            report.add(.bucket, .pass, "\(probe.bucket) is there")
        } catch let error as S3Error {
            try await explain(error, &report)
        }
    }

    private func region(_ told: String?, _ report: inout ProbeReport) {
        let used = client.signingRegion(for: probe.bucket)
        let configured = client.signingRegion(for: nil)
        if used != configured {
            report.add(
                .region, .fail, "the bucket is in \(used), and \(configured) was configured",
                S3Error(.service, "wrong region", code: "AuthorizationHeaderMalformed", region: used))
        } else {
            report.add(.region, .pass, told.map { "\(used), the server says \($0)" } ?? used)
        }
    }

    /// HEAD has no body: a listing of one key tells the reason of its refusal.
    private func explain(_ error: S3Error, _ report: inout ProbeReport) async throws {
        if error.status == 404 {
            report.add(.signature, .pass, "the server knows the key and accepts its signature")
            region(nil, &report)
            try await createBucket(&report)
            return
        }
        do {
            var objects = client.listObjects(in: probe.bucket, prefix: probe.prefix).makeAsyncIterator()
            _ = try await objects.next()
            report.add(.signature, .pass, "the server knows the key and accepts its signature")
            region(nil, &report)
            report.add(.bucket, .notPermitted, "HeadBucket is refused; the bucket can be listed")
        } catch let reason as S3Error {
            switch reason.code {
            case "NoSuchBucket":
                report.add(.signature, .pass, "the server knows the key and accepts its signature")
                region(nil, &report)
                try await createBucket(&report)
            case "AccessDenied" where error.status == 403:
                report.add(.signature, .pass, "the server knows the key and accepts its signature")
                region(nil, &report)
                report.add(.bucket, .notPermitted, "HeadBucket and ListBucket are refused; \(reason)", reason)
            case "PermanentRedirect", "AuthorizationHeaderMalformed":
                report.add(.signature, .pass, "the server answered")
                report.add(.region, .fail, "\(reason)", reason)
            default:
                report.add(.signature, .fail, "\(reason)", reason)
            }
        }
    }

    private func createBucket(_ report: inout ProbeReport) async throws {
        guard probe.mayCreateBucket else {
            let error = S3Error(
                .service, "the bucket is not there, and it is configured not to be made", bucket: probe.bucket,
                status: 404, code: "NoSuchBucket")
            return report.add(.bucket, .fail, "\(error)", error)
        }
        try await report.take(.bucket) {
            try await client.createBucket(probe.bucket, objectLock: probe.needsLock)
            return "\(probe.bucket) was missing, and was made"
        }
    }

    // MARK: Objects

    func probeObjects(_ report: inout ProbeReport) async throws {
        let text = Array("a check of this store, which may be deleted: \(object.key)".utf8)
        let customerKey = probe.put.encryption?.customerKey
        let read = ReadOptions(customerKey: customerKey)
        try await report.take(.write) {
            let result = try await client.putObject(object, .bytes(text), options: probe.put)
            return "\(text.count) bytes" + (result.versionID.map { ", version \($0)" } ?? "")
        }
        guard !report.hasFailed else { return }
        try await report.takeOptional(.encryption) {
            let told = try await client.headObject(object, options: read).encryption
            if let wanted = probe.put.encryption, !wanted.isKept(by: told) {
                throw S3Error(
                    .configuration,
                    "the server takes objects that are to be encrypted and says of them: "
                        + (told ?? "not encrypted"))
            }
            return told ?? "none is asked for, and none is told of"
        }
        try await report.take(.readBack) {
            let found = try await client.getObject(object, options: read, limit: 1 << 20).body
            guard found == text else { throw S3Error(.integrity, "what was read is not what was written") }
            return "equal"
        }
        try await report.take(.range) {
            let found = try await client.getObject(object, range: 2..<9, options: read, limit: 1 << 20).body
            guard found == Array(text[2..<9]) else { throw S3Error(.integrity, "a stretch is not what was written") }
            return "equal"
        }
        try await report.take(.multipart) { try await sendParts(read) }
        try await probeExtras(&report)
        try await delete(&report)
    }

    private func sendParts(_ read: ReadOptions) async throws -> String {
        var put = probe.put
        let token = UUID().uuidString
        put.metadata[S3Client.uploadToken] = token
        let id = try await client.createMultipartUpload(parted, options: put)
        do {
            let first = [UInt8](repeating: 0x61, count: 5 << 20)
            let second = Array("the end".utf8)
            let key = probe.put.encryption?.customerKey
            let parts = [
                try await client.uploadPart(parted, uploadID: id, number: 1, .bytes(first), options: put),
                try await client.uploadPart(parted, uploadID: id, number: 2, .bytes(second), options: put),
            ]
            let size = Int64(first.count + second.count)
            _ = try await client.completeMultipartUpload(
                parted, uploadID: id, parts: parts, expecting: .init(token: token, size: size, customerKey: key))
            let found = try await client.getObject(
                parted, range: Int64(first.count)..<size, options: read, limit: 1 << 20
            ).body
            guard found == second else { throw S3Error(.integrity, "the last part is not what was sent") }
            return "\(size) bytes in two parts"
        } catch {
            try? await client.abortMultipartUpload(parted, uploadID: id)
            throw error
        }
    }

    private func probeExtras(_ report: inout ProbeReport) async throws {
        var options = probe.put
        options.onlyIfAbsent = true
        do {
            try await client.putObject(object, .bytes([0x78]), options: options)
            report.add(.conditionalWrite, .unsupported, "If-None-Match is ignored; this program looks first instead")
        } catch let error as S3Error {
            switch error.status {
            case 412: report.add(.conditionalWrite, .pass, "a taken name is refused")
            case 403: report.add(.conditionalWrite, .notPermitted, "\(error)", error)
            default: report.add(.conditionalWrite, .unsupported, "\(error)", error)
            }
        }
        try await report.takeOptional(.list) {
            var objects = client.listObjects(in: probe.bucket, prefix: object.key).makeAsyncIterator()
            guard try await objects.next() != nil else {
                throw S3Error(.integrity, "the object that was just written is not in the listing")
            }
            return "the object is found"
        }
        try await report.takeOptional(.versioning) {
            switch try await client.versioning(of: probe.bucket) {
            case .off where client.configuration.profile.alwaysVersioned: return "always on with this provider"
            case .off: return "off"
            case .enabled: return "on: what is deleted goes on to cost until its versions are deleted"
            case .suspended: return "suspended"
            }
        }
        try await probeLock(&report)
    }

    private func probeLock(_ report: inout ProbeReport) async throws {
        // Who may not look finds out with the first backup; who looks and finds none knows it now.
        try await report.takeOptional(.objectLock) {
            guard let lock = try await client.objectLockConfiguration(of: probe.bucket) else {
                guard probe.needsLock else { return "off" }
                throw S3Error(
                    .configuration,
                    "a lock is asked for, and the bucket has none; it can only be had when a bucket is made")
            }
            guard let mode = lock.defaultMode, let period = lock.defaultPeriod else { return "on, no default" }
            return "on, by default \(mode.rawValue.lowercased()) for \(period)"
        }
    }

    private func delete(_ report: inout ProbeReport) async throws {
        do {
            for object in [object, parted] { try await deleteVersions(of: object) }
            report.add(.delete, .pass, "nothing of this check is left")
        } catch let error as S3Error where error.status == 403 {
            report.add(
                .delete, .fail, "\(error); \(object.key) stays, and retention could not delete backups", error)
        } catch let error as S3Error {
            report.add(.delete, .fail, "\(error)", error)
        }
    }

    private func deleteVersions(of object: S3Object) async throws {
        try await client.deleteObject(object)
        // Without the right to list versions, or without versions, the plain delete is all there is to do.
        guard let versions = try? await client.listObjectVersions(in: object.bucket, prefix: object.key) else { return }
        for version in versions where version.key == object.key && version.versionID != "null" {
            try await client.deleteObject(object, versionID: version.versionID)
        }
    }
}
