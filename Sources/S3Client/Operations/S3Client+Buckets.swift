extension S3Client {
    /// Whether a bucket is there and may be looked at.
    ///
    /// - Throws: ``S3Error``; HEAD has no body, so that there is a status (404, 403) and no code. 403 does not mean that
    ///   the bucket is missing.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    public func headBucket(_ bucket: String) async throws -> BucketHead {
        let answer = try await execute(S3Request("HeadBucket", "HEAD", bucket: bucket))
        return BucketHead(region: answer.header("x-amz-bucket-region"))
    }

    /// Makes a bucket. One that is this account's already is a success.
    ///
    /// - Parameter objectLock: can only be chosen here, on most servers; it turns versions on.
    /// - Throws: ``S3Error``; `BucketAlreadyExists` where it is another account's.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    public func createBucket(_ bucket: String, objectLock: Bool = false) async throws {
        var request = S3Request("CreateBucket", "PUT", bucket: bucket)
        let region = signingRegion(for: nil)
        if configuration.profile.takesLocationConstraint, region != "us-east-1", !region.isEmpty {
            request.body = .bytes(
                try XMLBody.document(
                    "CreateBucketConfiguration",
                    "<LocationConstraint>\(try XMLText.escape(region))</LocationConstraint>"))
        }
        if objectLock { request.headers.append(("x-amz-bucket-object-lock-enabled", "true")) }
        do {
            _ = try await execute(request)
        } catch let error as S3Error where error.code == "BucketAlreadyOwnedByYou" {
            return
        }
    }

    /// Deletes an empty bucket.
    public func deleteBucket(_ bucket: String) async throws {
        _ = try await execute(S3Request("DeleteBucket", "DELETE", bucket: bucket))
    }

    /// The buckets of the account. Needs a right of its own, `s3:ListAllMyBuckets`.
    public func listBuckets() async throws -> [BucketSummary] {
        var request = S3Request("ListBuckets", "GET")
        request.successRoot = "ListAllMyBucketsResult"
        let tree = try XMLTree.parse(try await execute(request).body)
        return (tree.child("Buckets")?.children("Bucket") ?? []).map { bucket in
            BucketSummary(
                name: bucket.child("Name")?.text ?? "",
                created: bucket.child("CreationDate").flatMap { HTTPDate.parse($0.text) })
        }
    }

    /// The region of a bucket; us-east-1 answers with nothing.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    public func bucketLocation(_ bucket: String) async throws -> String {
        var request = S3Request("GetBucketLocation", "GET", bucket: bucket)
        request.query = [("location", nil)]
        request.successRoot = "LocationConstraint"
        let location = try XMLTree.parse(try await execute(request).body).text
        return location.isEmpty ? "us-east-1" : location == "EU" ? "eu-west-1" : location
    }

    /// The bucket's policy as JSON; nil where it has none.
    public func policy(of bucket: String) async throws -> String? {
        guard let body = try await read("GetBucketPolicy", "policy", of: bucket, missing: ["NoSuchBucketPolicy"]) else {
            return nil
        }
        return String(decoding: body, as: UTF8.self)
    }

    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    public func setPolicy(of bucket: String, json: String) async throws {
        try await write("PutBucketPolicy", "policy", of: bucket, Array(json.utf8))
    }

    /// Removes the bucket's policy; one without is a success.
    public func deletePolicy(of bucket: String) async throws {
        try await remove("DeleteBucketPolicy", "policy", of: bucket)
    }

    // MARK: A bucket's settings, each under a query of its own

    /// - Parameter missing: codes that say that there is no such setting.
    func read(_ operation: String, _ query: String, of bucket: String, missing: Set<String>) async throws -> [UInt8]? {
        var request = S3Request(operation, "GET", bucket: bucket)
        request.query = [(query, nil)]
        do {
            return try await execute(request).body
        } catch let error as S3Error where missing.contains(error.code ?? "") {
            return nil
        }
    }

    func write(_ operation: String, _ query: String, of bucket: String, _ body: [UInt8]) async throws {
        var request = S3Request(operation, "PUT", bucket: bucket)
        request.query = [(query, nil)]
        request.body = .bytes(body)
        request.bodyGuard = .contentMD5
        _ = try await execute(request)
    }

    func remove(_ operation: String, _ query: String, of bucket: String) async throws {
        var request = S3Request(operation, "DELETE", bucket: bucket)
        request.query = [(query, nil)]
        _ = try await execute(request)
    }
}
