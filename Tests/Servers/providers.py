"""What each provider documents, as data: what it refuses, and in which words. simulator.py enforces it.

Each refusal names its source: D = the provider's documents, I = reports in issue trackers, A = assumed, because no
document says what happens. `strict` marks what the real provider tolerates and the simulator does not, so that a client
that relies on it shows.

Arrangement: the provider stands before Ceph, which must accept the client's signature over the client's own Host. So a
client either takes `http://127.0.0.1:PORT` (paths only; option "addressing": "either" where the provider wants hosts),
or the provider's own host name `http://DOMAIN:PORT` with DOMAIN and BUCKET.DOMAIN resolved to 127.0.0.1 in the client
(DOMAIN below; servers.sh makes Ceph know it and puts it, with *.DOMAIN, into the certificate), or
`http://localhost:PORT` with BUCKET.localhost resolved to 127.0.0.1.

Options (POST /_control {"provider": NAME, "options": {…}}), with their defaults:
    "rate_limit": 10         each 10th request is refused in the provider's form, never two in a row; 0: none
    "region": the region that the credential's scope must name (default: `regions` below)
    "addressing": "host" | "path" | "either" (default: `addressing` below)
    "host": a further DOMAIN
    "redirect": false        a wrong region gets 301 PermanentRedirect, as from a bucket of another region's endpoint
    "restricted_key": false  the key may not create buckets
    "taken": "^taken-"       names of buckets that belong to others
    "max_parts": 10000
    "write_interval": seconds between writes of one key (R2: 1.0; others 0)
"""

import dataclasses
import re

CHECKSUMS = frozenset(("crc32", "crc32c", "crc64nvme", "sha1", "sha256"))
CREATES = frozenset(("PutObject", "CopyObject", "CreateMultipartUpload"))
WRITES = CREATES | {"UploadPart", "UploadPartCopy", "CompleteMultipartUpload"}


@dataclasses.dataclass(frozen=True)
class Refusal:
    """One thing that a provider does not take: by operation, or by a field's name and value (regular expressions)."""

    name: str
    status: int
    code: str
    message: str  # {field} and {value} stand for what was refused
    source: str
    operations: frozenset = None
    field: str = None
    value: str = None

    def meets(self, request):
        """The field and value that are refused; None where the request passes."""
        if self.operations is not None and request.operation not in self.operations:
            return None
        if self.field is None:
            return "", ""
        for name, value in request.head.fields:
            if re.fullmatch(self.field, name.lower()) and (self.value is None or re.search(self.value, value)):
                return name.lower(), value
        return None


@dataclasses.dataclass(frozen=True)
class Limit:
    """The form in which too many requests are refused."""

    status: int
    code: str
    message: str
    source: str
    fields: tuple = ()


@dataclasses.dataclass(frozen=True)
class Provider:
    name: str
    domain: str
    addressing: str
    regions: tuple  # the first is the true one; empty: any
    region_status: int
    region_code: str
    region_message: str  # {given}, {expected}
    limit: Limit
    refusals: tuple
    storage_classes: tuple
    checksums: frozenset = frozenset()  # that it verifies and tells
    checksum_is_declared: bool = False  # a part's checksum must have been declared at Create
    equal_parts: bool = False
    max_parts: int = 10_000
    write_interval: float = 0.0
    taken: tuple = (409, "BucketAlreadyExists")
    restricted: tuple = (403, "AccessDenied")
    repeated_complete: str = "upstream"  # accepted, NoSuchUpload, or what the upstream says
    empty_etag: bool = False  # in the answer to Complete
    spaces: bool = False  # before the root of the answer to Complete
    checks_location: bool = False
    default_sse: str = None


def refuses(name, status, code, message, source, operations=None, field=None, value=None):
    return Refusal(name, status, code, message, source, frozenset(operations) if operations else None, field, value)


# House rule rather than any provider's: bodies are sent with their length, checksums before them.
STREAMING = (
    refuses("aws-chunked", 501, "NotImplemented", "A body in aws-chunked form is not implemented.",
            "strict; D: R2 and Ceph; I: B2, Spaces, Linode", field="content-encoding", value="aws-chunked"),
    refuses("streaming-payload", 501, "NotImplemented", "{value} is not implemented.",
            "strict; D: Ceph; I: velero, boto3 on B2 and Linode", field="x-amz-content-sha256", value="^STREAMING-"),
    refuses("trailer", 501, "NotImplemented", "Trailers are not implemented.", "strict; I: as above",
            field="x-amz-trailer|x-amz-decoded-content-length"),
    refuses("chunked", 411, "MissingContentLength", "You must provide the Content-Length HTTP header.",
            "D: AWS, list of error codes", field="transfer-encoding", value="chunked"),
)

LOCK_OPERATIONS = ("PutObjectLockConfiguration", "GetObjectLockConfiguration", "PutObjectRetention",
                   "GetObjectRetention", "PutObjectLegalHold", "GetObjectLegalHold")
ACL_OPERATIONS = ("PutBucketAcl", "GetBucketAcl", "PutObjectAcl", "GetObjectAcl")
TAG_OPERATIONS = ("PutBucketTagging", "GetBucketTagging", "DeleteBucketTagging", "PutObjectTagging",
                  "GetObjectTagging", "DeleteObjectTagging")

SIGNATURE = "The request signature we calculated does not match the signature you provided."
MALFORMED = "The authorization header is malformed; the region '{given}' is wrong; expecting '{expected}'"
SLOW = "Please reduce your request rate."

AWS = Provider(
    name="aws", domain="s3.eu-central-1.amazonaws.com", addressing="host",
    regions=("eu-central-1",), region_status=400, region_code="AuthorizationHeaderMalformed", region_message=MALFORMED,
    limit=Limit(503, "SlowDown", SLOW, "D: AWS, optimizing performance"),
    refusals=STREAMING + (
        refuses("acl", 400, "AccessControlListNotSupported", "The bucket does not allow ACLs",
                "D: AWS, object ownership: the default since 2023", field="x-amz-acl",
                value="^(?!bucket-owner-full-control$)"),
        refuses("expected-owner", 403, "AccessDenied", "Access Denied", "D: AWS, bucket owner condition: another owner",
                field="x-amz-expected-bucket-owner"),
    ),
    storage_classes=("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
                     "DEEP_ARCHIVE", "GLACIER_IR", "EXPRESS_ONEZONE"),
    checksums=CHECKSUMS, repeated_complete="accepted", spaces=True, checks_location=True, default_sse="AES256",
)

MINIO = Provider(
    name="minio", domain="minio.test", addressing="path",
    regions=(), region_status=400, region_code="AuthorizationHeaderMalformed", region_message=MALFORMED,
    limit=Limit(503, "SlowDownWrite", "Resource requested is unwritable, please reduce your request rate",
                "I: minio, SlowDownWrite and SlowDownRead"),
    refusals=STREAMING + (
        refuses("acl-operations", 501, "NotImplemented", "A header you provided implies functionality that is not "
                "implemented", "D: MinIO, S3 compatibility: policies instead of ACLs",
                operations=("PutBucketAcl", "PutObjectAcl")),
    ),
    storage_classes=("STANDARD", "REDUCED_REDUNDANCY"), checksums=CHECKSUMS, repeated_complete="NoSuchUpload",
)

WASABI = Provider(
    name="wasabi", domain="s3.eu-central-1.wasabisys.com", addressing="path",
    regions=("eu-central-1",), region_status=400, region_code="AuthorizationHeaderMalformed", region_message=MALFORMED,
    limit=Limit(403, "RequestRateLimitExceeded", "Your request rate is too high.",
                "I: Wasabi's limits come as a 403, which is no lack of permission"),
    refusals=STREAMING + (
        refuses("kms", 400, "InvalidArgument", "{field} {value} is not supported.", "D: Wasabi encrypts by itself; "
                "SSE-C only beside it", field="x-amz-server-side-encryption", value="kms"),
    ),
    storage_classes=("STANDARD",), checksums=CHECKSUMS, checksum_is_declared=True,
)

B2_FIELDS = ("x-amz-checksum-.*|x-amz-sdk-checksum-algorithm|x-amz-tagging|x-amz-expected-bucket-owner|"
             "x-amz-website-redirect-location|x-amz-request-payer|x-amz-server-side-encryption-aws-kms-key-id|"
             "x-amz-server-side-encryption-context|x-amz-server-side-encryption-bucket-key-enabled|x-amz-grant-.*|"
             "x-amz-mp-object-size")
B2 = Provider(
    name="b2", domain="s3.us-west-004.backblazeb2.com", addressing="either",
    regions=("us-west-004",), region_status=403, region_code="SignatureDoesNotMatch",
    region_message="Signature validation failed",
    limit=Limit(503, "ServiceUnavailable", "no tomes available", "I: rclone, restic: reconnect and retry"),
    refusals=STREAMING + (
        refuses("field", 400, "InvalidArgument", "Unsupported header '{field}' received for this API call.",
                "D: B2, S3-compatible API, unsupported features; I: cyberduck, home-assistant", field=B2_FIELDS),
        refuses("kms", 400, "InvalidArgument", "Unsupported value '{value}' for {field}.",
                "D: B2: SSE-B2 (AES256) and SSE-C only", field="x-amz-server-side-encryption", value="^(?!AES256$)"),
        refuses("object-acl", 400, "InvalidArgument", "Unsupported value for canned acl '{value}'",
                "D: B2: an object's ACL is that of its bucket", operations=CREATES, field="x-amz-acl",
                value="^(?!private$)"),
        refuses("tags", 501, "NotImplemented", "Tagging is not implemented.", "D: B2, unsupported features",
                operations=TAG_OPERATIONS),
        refuses("policy", 501, "NotImplemented", "Bucket policies are not implemented.", "D: B2, unsupported features",
                operations=("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy")),
    ),
    storage_classes=("STANDARD",), restricted=(403, "AccessDenied"),
)

SPACES = Provider(
    name="spaces", domain="nyc3.digitaloceanspaces.com", addressing="host",
    regions=("nyc3", "us-east-1"), region_status=403, region_code="SignatureDoesNotMatch", region_message=SIGNATURE,
    limit=Limit(503, "SlowDown", SLOW, "D: Spaces, limits: 503 Slow Down"),
    refusals=STREAMING + (
        refuses("sse", 400, "InvalidArgument", "{field} is not supported.", "D: Spaces, S3 compatibility: SSE-C only",
                field="x-amz-server-side-encryption"),
        refuses("encryption", 501, "NotImplemented", "Bucket encryption is not implemented.",
                "D: Spaces, S3 compatibility: no bucket-level encryption settings",
                operations=("PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption")),
    ),
    storage_classes=("STANDARD",),
)

LINODE = Provider(
    name="linode", domain="us-ord-1.linodeobjects.com", addressing="either",
    regions=("us-ord-1", "us-ord"), region_status=403, region_code="SignatureDoesNotMatch", region_message=SIGNATURE,
    limit=Limit(429, "TooManyRequests", "Rate limit exceeded.", "D: Linode, product limits: 750 to 2,000 a second"),
    refusals=STREAMING + (
        refuses("sse", 400, "InvalidArgument", "{field} is not supported.", "A: Linode documents SSE-C only",
                field="x-amz-server-side-encryption"),
    ),
    storage_classes=("STANDARD",), taken=(429, "TooManyRequests"),
)

# All other x-amz-… fields are refused.
R2_FIELDS = ("date|content-sha256|security-token|meta-.*|copy-source.*|metadata-directive|storage-class|checksum-.*|"
             "sdk-checksum-algorithm|server-side-encryption-customer-.*|mp-object-size|user-agent|request-id")
R2 = Provider(
    name="r2", domain="0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com", addressing="path",
    regions=("auto", "us-east-1", "wnam", "enam", "weur", "eeur", "apac", "oc"), region_status=400,
    region_code="InvalidRegionName", region_message="The region name '{given}' is not valid. "
    "Must be one of: wnam, enam, weur, eeur, apac, oc, auto",
    limit=Limit(429, "TooManyRequests", "Reduce your concurrent request rate for the same object.", "D: R2, limits"),
    refusals=STREAMING + (
        refuses("lock", 501, "NotImplemented", "Object lock is not implemented.", "D: R2, S3 API compatibility",
                operations=LOCK_OPERATIONS),
        refuses("acl-tags", 501, "NotImplemented", "Not implemented.", "D: R2, S3 API compatibility",
                operations=ACL_OPERATIONS + TAG_OPERATIONS),
        refuses("versions", 501, "NotImplemented", "Not implemented.", "D: R2, S3 API compatibility",
                operations=("PutBucketVersioning", "GetBucketVersioning", "ListObjectVersions", "PutBucketPolicy",
                            "GetBucketPolicy", "DeleteBucketPolicy", "RestoreObject", "GetObjectAttributes")),
        refuses("field", 501, "NotImplemented", "Header '{field}' with value '{value}' not implemented",
                "D: R2, S3 API compatibility; I: many clients", field=f"x-amz-(?!(?:{R2_FIELDS})$).*"),
    ),
    storage_classes=("STANDARD", "STANDARD_IA"), checksums=frozenset(("crc64nvme",)), equal_parts=True,
    write_interval=1.0,
)

CEPH = Provider(
    name="ceph", domain="ceph.test", addressing="path",
    regions=("us-east-1", "default"), region_status=403, region_code="SignatureDoesNotMatch", region_message=SIGNATURE,
    limit=Limit(503, "SlowDown", "", "I: Ceph's message is often empty"),
    refusals=STREAMING, storage_classes=("STANDARD", "STANDARD_IA", "GLACIER"), empty_etag=True,
)

PROVIDERS = {provider.name: provider for provider in (AWS, MINIO, WASABI, B2, SPACES, LINODE, R2, CEPH)}

# Of the classes above, those that servers.sh sets up in Ceph; others are taken from the request before Ceph sees it.
DEPLOYED_CLASSES = ("STANDARD", "STANDARD_IA", "GLACIER")
