/// Keys of listings, which come encoded where the server knows `encoding-type=url`.
enum ListedText {
    static func text(_ element: XMLTree?, _ isEncoded: Bool) -> String? {
        guard let text = element?.text else { return nil }
        return isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) ?? text : text
    }
}

/// The objects of a bucket under a prefix, in the order of their keys' bytes; a page of 1,000 is fetched when it is
/// reached.
public struct ObjectListing: AsyncSequence, Sendable {
    /// One object.
    public typealias Element = ListedObject

    let client: S3Client
    let bucket: String
    let prefix: String
    let startAfter: String?

    /// Begins the listing; each iterator asks the server anew.
    public func makeAsyncIterator() -> Iterator { Iterator(listing: self) }

    /// Goes through the pages.
    public struct Iterator: AsyncIteratorProtocol {
        let listing: ObjectListing
        private var page: ArraySlice<ListedObject> = []
        private var token: String?
        private var marker: String?
        private var isLast = false

        init(listing: ObjectListing) {
            self.listing = listing
            marker = listing.startAfter
        }

        /// The next object; nil after the last.
        ///
        /// - Throws: ``S3Error``.
        public mutating func next() async throws -> ListedObject? {
            while page.isEmpty {
                if isLast { return nil }
                try await fetch()
            }
            return page.popFirst()
        }

        private mutating func fetch() async throws {
            var request = S3Request("ListObjectsV2", "GET", bucket: listing.bucket)
            request.query = [("encoding-type", "url"), ("list-type", "2"), ("max-keys", "1000")]
            if !listing.prefix.isEmpty { request.query.append(("prefix", listing.prefix)) }
            if let token {
                request.query.append(("continuation-token", token))
            } else if let marker {
                request.query.append(("start-after", marker))
            }
            request.successRoot = "ListBucketResult"
            let tree = try XMLTree.parse(try await listing.client.execute(request).body)
            let decodes = tree.child("EncodingType")?.text == "url"
            page = tree.children("Contents").map { ListedObject($0, decodes) }[...]
            let isTruncated = tree.child("IsTruncated")?.text == "true"
            token = tree.child("NextContinuationToken")?.text
            // A server that knows only the first version of this operation says that there is more, and not where.
            if isTruncated, token == nil {
                guard let last = page.last?.key, last != marker else {
                    throw S3Error(
                        .malformedAnswer, "the listing says that there is more, and not where it goes on",
                        operation: "ListObjectsV2", bucket: listing.bucket)
                }
                marker = last
            }
            isLast = !isTruncated
        }
    }
}

extension ListedObject {
    init(_ tree: XMLTree, _ decodes: Bool) {
        key = ListedText.text(tree.child("Key"), decodes) ?? ""
        size = tree.child("Size").flatMap { Int64($0.text) } ?? 0
        etag = tree.child("ETag")?.text ?? ""
        lastModified = tree.child("LastModified").flatMap { HTTPDate.parse($0.text) }
        storageClass = tree.child("StorageClass")?.text
    }
}

extension S3Client {
    /// The objects under a prefix.
    ///
    /// - Parameter startAfter: keys up to and with this one are left out.
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    public func listObjects(in bucket: String, prefix: String = "", startAfter: String? = nil) -> ObjectListing {
        ObjectListing(client: self, bucket: bucket, prefix: prefix, startAfter: startAfter)
    }

    /// Every version and delete marker under a prefix.
    ///
    /// - Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
    public func listObjectVersions(in bucket: String, prefix: String = "") async throws -> [ListedVersion] {
        var versions: [ListedVersion] = []
        var keyMarker: String?
        var versionMarker: String?
        while true {
            var request = S3Request("ListObjectVersions", "GET", bucket: bucket)
            request.query = [("encoding-type", "url"), ("max-keys", "1000"), ("versions", nil)]
            if !prefix.isEmpty { request.query.append(("prefix", prefix)) }
            if let keyMarker { request.query.append(("key-marker", keyMarker)) }
            if let versionMarker { request.query.append(("version-id-marker", versionMarker)) }
            request.successRoot = "ListVersionsResult"
            let tree = try XMLTree.parse(try await execute(request).body)
            let decodes = tree.child("EncodingType")?.text == "url"
            versions += tree.children.filter { $0.name == "Version" || $0.name == "DeleteMarker" }.map { entry in
                ListedVersion(
                    key: ListedText.text(entry.child("Key"), decodes) ?? "",
                    versionID: entry.child("VersionId")?.text ?? "null",
                    isLatest: entry.child("IsLatest")?.text == "true", isDeleteMarker: entry.name == "DeleteMarker",
                    size: entry.child("Size").flatMap { Int64($0.text) } ?? 0, etag: entry.child("ETag")?.text ?? "")
            }
            let nextKey = ListedText.text(tree.child("NextKeyMarker"), decodes)
            let nextVersion = tree.child("NextVersionIdMarker")?.text
            guard tree.child("IsTruncated")?.text == "true", nextKey != keyMarker || nextVersion != versionMarker else {
                return versions
            }
            keyMarker = nextKey
            versionMarker = nextVersion
        }
    }
}
