/// What a bucket with object lock does to new objects.
public struct ObjectLockConfiguration: Sendable, Equatable {
    /// A length of time.
    public enum Period: Sendable, Equatable {
        case days(Int)
        case years(Int)
    }

    /// Nil: only what an object is given itself.
    public var defaultMode: ObjectRetention.Mode?
    /// For how long new objects are locked by default.
    public var defaultPeriod: Period?

    /// Lock that is on, with or without a default.
    public init(defaultMode: ObjectRetention.Mode? = nil, defaultPeriod: Period? = nil) {
        self.defaultMode = defaultMode
        self.defaultPeriod = defaultPeriod
    }
}

extension S3Client {
    /// Nil where the bucket was made without object lock.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
    public func objectLockConfiguration(of bucket: String) async throws -> ObjectLockConfiguration? {
        let body = try await read(
            "GetObjectLockConfiguration", "object-lock", of: bucket,
            missing: ["ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"])
        guard let body else { return nil }
        let tree = try XMLTree.parse(body)
        guard tree.child("ObjectLockEnabled")?.text == "Enabled" else { return nil }
        let rule = tree.child("Rule")?.child("DefaultRetention")
        var found = ObjectLockConfiguration()
        found.defaultMode = rule?.child("Mode").flatMap { ObjectRetention.Mode(rawValue: $0.text) }
        // Some servers name both, the one that does not hold as 0.
        if let days = rule?.child("Days").flatMap({ Int($0.text) }), days > 0 { found.defaultPeriod = .days(days) }
        if let years = rule?.child("Years").flatMap({ Int($0.text) }), years > 0 { found.defaultPeriod = .years(years) }
        return found
    }

    /// Sets the default of a bucket that was made with object lock.
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
    public func setObjectLockConfiguration(of bucket: String, _ lock: ObjectLockConfiguration) async throws {
        var inner = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
        if let mode = lock.defaultMode, let period = lock.defaultPeriod {
            let length =
                switch period {
                case .days(let days): "<Days>\(days)</Days>"
                case .years(let years): "<Years>\(years)</Years>"
                }
            inner += "<Rule><DefaultRetention><Mode>\(mode.rawValue)</Mode>\(length)</DefaultRetention></Rule>"
        }
        try await write(
            "PutObjectLockConfiguration", "object-lock", of: bucket,
            try XMLBody.document("ObjectLockConfiguration", inner))
    }

    /// Until when a version is locked; nil where it is not.
    public func retention(of object: S3Object, versionID: String? = nil) async throws -> ObjectRetention? {
        var request = S3Request("GetObjectRetention", "GET", object)
        request.query = [("retention", nil)] + (versionID.map { [("versionId", $0)] } ?? [])
        do {
            let tree = try XMLTree.parse(try await execute(request).body)
            guard let mode = tree.child("Mode").flatMap({ ObjectRetention.Mode(rawValue: $0.text) }),
                let until = tree.child("RetainUntilDate").flatMap({ HTTPDate.parse($0.text) })
            else { return nil }
            return ObjectRetention(mode: mode, until: until)
        } catch let error as S3Error
            where ["NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"].contains(error.code ?? "")
        {
            return nil
        }
    }

    /// Lengthens a lock, or shortens one in governance mode where `bypassGovernance` is allowed.
    public func setRetention(
        of object: S3Object, versionID: String? = nil, _ retention: ObjectRetention, bypassGovernance: Bool = false
    ) async throws {
        var request = S3Request("PutObjectRetention", "PUT", object)
        request.query = [("retention", nil)] + (versionID.map { [("versionId", $0)] } ?? [])
        request.body = .bytes(
            try XMLBody.document(
                "Retention",
                "<Mode>\(retention.mode.rawValue)</Mode><RetainUntilDate>\(HTTPDate.iso(retention.until))</RetainUntilDate>"
            ))
        request.bodyGuard = .contentMD5
        if bypassGovernance { request.headers.append(("x-amz-bypass-governance-retention", "true")) }
        _ = try await execute(request)
    }

    /// Locks an object in parts where its server has not: Ceph takes the wish at CreateMultipartUpload and forgets it.
    func ensureLock(of object: S3Object, versionID: String?, _ options: PutOptions) async throws {
        guard let lock = options.lock else { return }
        let read = ReadOptions(versionID: versionID, customerKey: options.encryption?.customerKey)
        if let found = try await headObject(object, options: read).retention, found.until >= lock.until { return }
        try await setRetention(of: object, versionID: versionID, lock)
    }
}
