"""What a request asks for: operation, bucket, key and part, from its method, host, path and query."""

import ipaddress
import re
import urllib.parse

# Sub-resource in the query → noun of the operation's name, at a bucket and at an object.
BUCKET_NOUNS = {
    "accelerate": "BucketAccelerateConfiguration", "acl": "BucketAcl", "cors": "BucketCors",
    "encryption": "BucketEncryption", "lifecycle": "BucketLifecycleConfiguration", "location": "BucketLocation",
    "logging": "BucketLogging", "notification": "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration", "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy", "policyStatus": "BucketPolicyStatus", "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication", "tagging": "BucketTagging", "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
OBJECT_NOUNS = {
    "acl": "ObjectAcl", "attributes": "ObjectAttributes", "legal-hold": "ObjectLegalHold",
    "retention": "ObjectRetention", "tagging": "ObjectTagging", "torrent": "ObjectTorrent",
}
VERBS = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}


def split_host(host):
    """Name and port of a Host field, without the brackets of IPv6."""
    match = re.fullmatch(r"\[(.*)\](?::(\d+))?|([^:]*)(?::(\d+))?", host)
    if not match:
        return host, None
    return (match[1] or match[3] or "").lower(), match[2] or match[4]


def is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Request:
    """A request's head, and what it asks for."""

    def __init__(self, head, domains):
        self.head = head
        self.method, self.target, _ = head.start.split(" ", 2)
        # A client that takes this for a forward proxy sends the absolute form.
        if "://" in self.target:
            parts = urllib.parse.urlsplit(self.target)
            self.target = parts.path + ("?" + parts.query if parts.query else "")
        path, _, query = self.target.partition("?")
        self.path = path
        self.query = {}
        for item in query.split("&") if query else ():
            name, _, value = item.partition("=")
            self.query[urllib.parse.unquote(name)] = urllib.parse.unquote(value)
        self.host, self.port = split_host(head.get("host", ""))
        self.virtual_bucket = None
        if not is_address(self.host):
            for domain in domains:
                if self.host.endswith("." + domain):
                    self.virtual_bucket = self.host[: -len(domain) - 1]
                    break
        rest = path[1:]
        if self.virtual_bucket is not None:
            self.bucket, key = self.virtual_bucket, rest
        else:
            bucket, _, key = rest.partition("/")
            self.bucket = urllib.parse.unquote(bucket)
        self.key = urllib.parse.unquote(key, errors="replace")
        self.part = int(self.query["partNumber"]) if self.query.get("partNumber", "").isdigit() else None
        self.upload = self.query.get("uploadId")
        self.operation = self._operation()
        self.body = None

    def header(self, name, default=None):
        return self.head.get(name, default)

    def _operation(self):
        if not self.bucket:
            return "ListBuckets" if self.method == "GET" else self.method + "Service"
        return self._object_operation() if self.key else self._bucket_operation()

    def _bucket_operation(self):
        method, query = self.method, self.query
        if method == "POST" and "delete" in query:
            return "DeleteObjects"
        if method == "GET" and "uploads" in query:
            return "ListMultipartUploads"
        if method == "GET" and "versions" in query:
            return "ListObjectVersions"
        for name, noun in BUCKET_NOUNS.items():
            if name in query:
                # The one whose name for removal is another.
                noun = "BucketLifecycle" if method == "DELETE" and name == "lifecycle" else noun
                return VERBS.get(method, method) + noun
        if method == "GET":
            return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
        return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(method, method + "Bucket")

    def _object_operation(self):
        method, query = self.method, self.query
        copies = self.header("x-amz-copy-source") is not None
        if self.upload is not None:
            names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload",
                     "GET": "ListParts"}
            return "UploadPartCopy" if method == "PUT" and copies else names.get(method, method + "Upload")
        if method == "POST":
            for name, operation in (("uploads", "CreateMultipartUpload"), ("restore", "RestoreObject"),
                                    ("select", "SelectObjectContent")):
                if name in query:
                    return operation
        for name, noun in OBJECT_NOUNS.items():
            if name in query:
                return VERBS.get(method, method) + noun
        if method == "PUT":
            return "CopyObject" if copies else "PutObject"
        return VERBS.get(method, method) + "Object"
