internal import S3Client

/// What an operator can do about a store's refusal, in the words of this program's settings.
enum StoreAdvice {
    /// Nil where there is nothing to say beyond the error itself.
    static func text(for error: S3Error) -> String? {
        if error.code == "AccessDenied", let advice = rights[error.operation] { return advice }
        if let code = error.code, let advice = byCode[code] { return advice }
        switch error.kind {
        case .transport, .deadline:
            return
                "check BACKUP_S3_ENDPOINT and that the server can be reached from here; \"s3 check\" tells where it fails"
        case .credentials: return nil
        case .service: return byStatus(error)
        case .malformedAnswer:
            return "check that BACKUP_S3_ENDPOINT is the address of the S3 interface, not of a console"
        case .integrity:
            return "try again; if it happens again, look for a faulty proxy or network between here and there"
        case .configuration, .file, .cancelled: return nil
        }
    }

    private static func byStatus(_ error: S3Error) -> String? {
        switch error.status {
        case 301, 302, 307: "set BACKUP_S3_REGION to the bucket's region" + (error.region.map { ", \($0)" } ?? "")
        case 400 where error.code == nil: "check BACKUP_S3_REGION, and whether the endpoint speaks http or https"
        case 401, 403: "check BACKUP_S3_ACCESS_KEY, BACKUP_S3_SECRET_KEY, and what that key may do with the bucket"
        case 404: "check BACKUP_S3_BUCKET and BACKUP_S3_PREFIX"
        case 429, 503: "the server asks for fewer requests; lower BACKUP_S3_CONCURRENCY, or try again later"
        case 500, 502, 504: "the server has trouble of its own; try again later"
        case 501: "the provider does not have this; set BACKUP_S3_PROVIDER if it was not recognised"
        default: nil
        }
    }

    /// What a key lacks that may not do an operation, where that is not what backups need anyway.
    private static let rights: [String: String] = [
        "CreateBucket":
            "create the bucket by hand, or allow the key s3:CreateBucket; with BACKUP_S3_CREATE_BUCKET=false none is made",
        "DeleteObject": "allow the key s3:DeleteObject, or s3:DeleteObjectVersion where the bucket keeps versions; "
            + "an object lock refuses until it ends",
        "RestoreObject": "allow the key s3:RestoreObject",
    ]

    /// By the codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList and what other
    /// servers add.
    private static let byCode: [String: String] = [
        "SignatureDoesNotMatch":
            "the secret key does not belong to the access key, or was changed on its way: check BACKUP_S3_SECRET_KEY for "
            + "missing or doubled characters, and BACKUP_S3_REGION",
        "InvalidAccessKeyId":
            "the server does not know this access key: check BACKUP_S3_ACCESS_KEY, and that the key is of this provider",
        "InvalidClientTokenId": "check BACKUP_S3_ACCESS_KEY",
        "AccessDenied":
            "the key may not do this: allow it s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket on the bucket",
        "AllAccessDisabled": "the account or bucket is disabled; ask the provider",
        "AccountProblem": "the provider has a problem with the account; ask the provider",
        "NoSuchBucket":
            "create the bucket, or allow the key s3:CreateBucket and leave BACKUP_S3_CREATE_BUCKET at true; check the "
            + "spelling of BACKUP_S3_BUCKET",
        "InvalidBucketName": "choose another BACKUP_S3_BUCKET: 3 to 63 lower-case letters, digits and hyphens",
        "BucketAlreadyExists": "another account has a bucket of this name; choose another BACKUP_S3_BUCKET",
        "TooManyBuckets": "the account has as many buckets as it may; create one by hand or name one that exists",
        "AuthorizationHeaderMalformed": "set BACKUP_S3_REGION to the bucket's region",
        "PermanentRedirect": "set BACKUP_S3_REGION to the bucket's region",
        "IllegalLocationConstraintException": "set BACKUP_S3_REGION to the region of the endpoint",
        "InvalidLocationConstraint": "the provider has no region of this name: correct BACKUP_S3_REGION",
        "RequestTimeTooSkewed": "set this machine's clock: time synchronisation (NTP) is off",
        "ExpiredToken": "the temporary credentials have expired: renew them, or use a source that renews itself",
        "InvalidToken": "the session token does not belong to the key: check BACKUP_S3_SESSION_TOKEN",
        "QuotaExceeded": "the bucket or the account is full: raise its quota, or keep fewer days",
        "EntityTooLarge": "the provider takes no object of this size",
        "InvalidStorageClass": "choose another BACKUP_S3_STORAGE_CLASS, or none",
        "InvalidEncryptionAlgorithmError": "choose another BACKUP_S3_SSE",
        "ServerSideEncryptionConfigurationNotFoundError": "set BACKUP_S3_SSE",
        "KMS.NotFoundException": "check BACKUP_S3_SSE_KMS_KEY_ID",
        "KMS.DisabledException": "enable the key of BACKUP_S3_SSE_KMS_KEY_ID",
        "KMSNotConfigured": "the server has no key management: choose another BACKUP_S3_SSE",
        "InvalidRequest": "the provider refuses a header of this request: check BACKUP_S3_SSE, BACKUP_S3_OBJECT_LOCK, "
            + "BACKUP_S3_STORAGE_CLASS and BACKUP_S3_PROVIDER",
        "InvalidArgument": "check BACKUP_S3_SSE, BACKUP_S3_OBJECT_LOCK, BACKUP_S3_STORAGE_CLASS and BACKUP_S3_PROVIDER",
        "NotImplemented": "the provider does not have this; set BACKUP_S3_PROVIDER if it was not recognised",
        "MethodNotAllowed": "the version is a delete marker, or the endpoint is not that of the S3 interface",
        "InvalidObjectState":
            "the object lies in an archive class: restore it with --wait, or ask for it with the provider's tools first",
        "NoSuchKey": "the object is gone: another program, a lifecycle rule or a person deleted it",
        "NoSuchVersion": "the version is gone: another program, a lifecycle rule or a person deleted it",
        "PreconditionFailed": "another object has taken its place",
        "SlowDown": "the server asks for fewer requests; lower BACKUP_S3_CONCURRENCY, or try again later",
        "RequestRateLimitExceeded":
            "the server asks for fewer requests; lower BACKUP_S3_CONCURRENCY, or try again later",
        "BadDigest": "the data were changed on their way: look for a faulty proxy or network",
        "XAmzContentSHA256Mismatch": "the data were changed on their way: look for a faulty proxy or network",
        "InvalidTag": "ask for support: this program sets no tags",
    ]
}
