"""Each rule of the provider simulator. Every refusal is asked for twice: without the provider it must not come."""

import base64
import hashlib
import os
import socket
import time

from checksums import ALGORITHMS
from providers import PROVIDERS
from selftest_support import PART, PREFIX, Proxy, check, client, equal, holds, outcome

resolve = socket.getaddrinfo


def to_loopback(host, *arguments, **named):
    name = host.decode() if isinstance(host, bytes) else host
    known = any(name == domain or name.endswith("." + domain) for domain in domains())
    return resolve("127.0.0.1" if known else host, *arguments, **named)


def domains():
    return ["localhost", *(provider.domain for provider in PROVIDERS.values())]


socket.getaddrinfo = to_loopback


def provider_client(world, name, style=None, region=None, fields=None, **more):
    """A client that does what the provider wants, at the provider's own host name."""
    provider = PROVIDERS[name]
    style = style or {"host": "virtual", "path": "path", "either": "path"}[provider.addressing]
    region = region or (provider.regions[0] if provider.regions else "us-east-1")
    s3 = client(f"http://{provider.domain}:{world.proxy.port}", style=style, region=region, **more)
    if fields:
        s3.meta.events.register("before-call.s3", lambda params, **_: params["headers"].update(fields))
    return s3


def play(world, name, **options):
    world.proxy.set(reset=True, provider=name, options={"rate_limit": 0, "write_interval": 0, **options})


def refused(world, name, code, call, rule, fields=None, options=None, **more):
    """The call gets the code from the provider and not without it, and the refusal is counted under the rule's name."""
    s3 = provider_client(world, name, fields=fields, **more)
    world.proxy.set(reset=True)
    without = outcome(call, s3)
    holds(without != code, f"{name}, {rule}: {code} without the provider")
    play(world, name, **(options or {}))
    equal(outcome(call, s3), code, f"{name}, {rule}")
    equal(world.proxy.state()["refusals"].get(rule), 1, f"{name}, {rule}: count")


def put(world, **more):
    return lambda s3: s3.put_object(Bucket=world.bucket, Key="k", Body=b"x", **more)


def digest(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def checksum(body, name="crc64nvme"):
    return ALGORITHMS[name](body)


@check("providers: what a good client does passes behind each of the eight")
def good_client(world):
    for name, provider in PROVIDERS.items():
        play(world, name)
        s3, bucket = provider_client(world, name), f"{world.bucket}-{name}"
        region = provider.regions[0] if provider.regions else "us-east-1"
        location = {"CreateBucketConfiguration": {"LocationConstraint": region}} if name == "aws" else {}
        s3.create_bucket(Bucket=bucket, **location)
        for key in ("plain", "dir with blank/ü+1"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"hello", ContentMD5=digest(b"hello"), StorageClass="STANDARD")
            equal(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), b"hello", name)
        upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
        parts = [{"PartNumber": number, "ETag": s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload,
                  PartNumber=number, Body=bytes(size))["ETag"]} for number, size in ((1, PART), (2, PART), (3, 1))]
        equal(len(s3.list_parts(Bucket=bucket, Key="parts", UploadId=upload)["Parts"]), 3, name)
        answer = s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload,
                                              MultipartUpload={"Parts": parts})
        equal(answer.get("ETag", "") == "", name == "ceph", f"{name}: empty ETag")
        equal(s3.head_object(Bucket=bucket, Key="parts")["ContentLength"], 2 * PART + 1, name)
        equal(s3.list_objects_v2(Bucket=bucket)["KeyCount"], 3, name)
        for key in ("plain", "dir with blank/ü+1", "parts"):
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)
        state = world.proxy.state()
        equal((state["provider"], state["refusals"]), (name, {}), name)


@check("providers: the proxy as a forward proxy: the provider's own names over http, and over https through a tunnel")
def forward_proxy(world):
    files = (os.environ[PREFIX + name] for name in ("TLS_CERTIFICATE", "TLS_KEY"))
    proxy = Proxy(world.rgw, "--tunnel", *files, "--provider", "aws")
    try:
        proxy.set(reset=True, provider="aws", options={"rate_limit": 0})
        body = bytes(9 << 20)
        for scheme in ("http", "https"):
            s3 = client(f"{scheme}://s3.eu-central-1.amazonaws.com", style="virtual", region="eu-central-1",
                        through=proxy.endpoint, verify=os.environ[PREFIX + "RGW_CA"])
            s3.put_object(Bucket=world.bucket, Key=scheme, Body=body)
            equal(s3.get_object(Bucket=world.bucket, Key=scheme)["Body"].read(), body, scheme)
            equal(proxy.requests()[-1]["bucket"], world.bucket, "the bucket of the virtual host")
            proxy.set(rules=[{"action": {"do": "status", "code": "SlowDown"}}])
            equal(outcome(s3.head_bucket, Bucket=world.bucket), "503", scheme)
            proxy.set(rules=[])
    finally:
        proxy.end()
    s3 = client("https://s3.eu-central-1.amazonaws.com", style="virtual", through=world.proxy.endpoint)
    equal(outcome(s3.list_buckets), "ProxyConnectionError", "a tunnel without a certificate")


@check("providers: addressing, by host only or by path only; names with dots may use paths")
def addressing(world):
    for name, style in (("aws", "path"), ("spaces", "path"), ("minio", "virtual"), ("wasabi", "virtual"),
                        ("r2", "virtual"), ("ceph", "virtual")):
        refused(world, name, "InvalidRequest", put(world), "addressing", style=style)
        play(world, name, addressing="either")
        equal(outcome(put(world), provider_client(world, name, style=style)), "ok", f"{name}: either")
    for name in ("b2", "linode"):
        for style in ("path", "virtual"):
            play(world, name)
            equal(outcome(put(world), provider_client(world, name, style=style)), "ok", f"{name}: {style}")
    play(world, "aws", addressing="either")
    equal(outcome(put(world), client(world.proxy.endpoint, region="eu-central-1")), "ok", "by address")
    dotted = world.bucket + ".dotted"
    world.direct.create_bucket(Bucket=dotted)
    play(world, "aws")
    holds(outcome(provider_client(world, "aws", style="path").head_bucket, Bucket=dotted) == "ok", "a name with dots")


@check("providers: the region of the signature")
def region(world):
    for name, code in (("aws", "AuthorizationHeaderMalformed"), ("wasabi", "AuthorizationHeaderMalformed"),
                       ("b2", "SignatureDoesNotMatch"), ("spaces", "SignatureDoesNotMatch"),
                       ("linode", "SignatureDoesNotMatch"), ("r2", "InvalidRegionName"),
                       ("ceph", "SignatureDoesNotMatch")):
        refused(world, name, code, put(world), "region", region="sa-east-1")
        refused(world, name, code, put(world), "region", options={"region": "mars-1"})
    play(world, "minio")
    equal(outcome(put(world), provider_client(world, "minio", region="mars-1")), "ok", "minio takes any")
    refused(world, "aws", "PermanentRedirect", put(world), "region", region="sa-east-1", options={"redirect": True})
    play(world, "aws")
    s3 = provider_client(world, "aws", region="sa-east-1")
    try:
        s3.head_object(Bucket=world.bucket, Key="k")
    except s3.exceptions.ClientError as error:
        answer = error.response["ResponseMetadata"]
        equal((answer["HTTPStatusCode"], answer["HTTPHeaders"]["x-amz-bucket-region"]), (400, "eu-central-1"), "HEAD")
    equal(provider_client(world, "aws").get_bucket_location(Bucket=world.bucket)["LocationConstraint"], "eu-central-1",
          "location")


@check("providers: too many requests, in the provider's own form, and the next one passes")
def rate(world):
    for name, code in (("aws", "SlowDown"), ("minio", "SlowDownWrite"), ("wasabi", "RequestRateLimitExceeded"),
                       ("b2", "ServiceUnavailable"), ("spaces", "SlowDown"), ("linode", "TooManyRequests"),
                       ("r2", "TooManyRequests"), ("ceph", "SlowDown")):
        play(world, name, rate_limit=3)
        s3 = provider_client(world, name)
        equal([outcome(put(world), s3) for _ in range(6)], ["ok", "ok", code] * 2, name)
        equal(world.proxy.state()["refusals"], {"rate": 2}, name)
    play(world, "r2", write_interval=1)
    s3 = provider_client(world, "r2")
    equal([outcome(put(world), s3) for _ in range(2)], ["ok", "TooManyRequests"], "r2: one key twice")
    time.sleep(1)
    equal(outcome(put(world), s3), "ok", "r2: a second later")


@check("providers: refused header fields and values")
def fields(world):
    for name in PROVIDERS:
        refused(world, name, "NotImplemented", put(world), "trailer", fields={"x-amz-trailer": "x-amz-checksum-crc32"})
        refused(world, name, "NotImplemented", put(world), "aws-chunked", fields={"content-encoding": "aws-chunked"})
    for field in ("x-amz-checksum-crc32", "x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm", "x-amz-tagging",
                  "x-amz-expected-bucket-owner", "x-amz-checksum-mode"):
        refused(world, "b2", "InvalidArgument", put(world), "field", fields={field: "x"})
    for field in ("x-amz-acl", "x-amz-tagging", "x-amz-object-lock-mode", "x-amz-server-side-encryption",
                  "x-amz-expected-bucket-owner", "x-amz-website-redirect-location", "x-amz-unheard-of"):
        refused(world, "r2", "NotImplemented", put(world), "field", fields={field: "x"})
    refused(world, "aws", "AccessControlListNotSupported", put(world, ACL="private"), "acl")
    refused(world, "aws", "AccessDenied", put(world), "expected-owner", fields={"x-amz-expected-bucket-owner": "1"})
    refused(world, "b2", "InvalidArgument", put(world, ACL="public-read"), "object-acl")
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "elder-backup-test-key"}
    refused(world, "b2", "InvalidArgument", put(world, **kms), "field")
    play(world, "b2")
    equal(outcome(put(world, ServerSideEncryption="aws:kms"), provider_client(world, "b2")), "InvalidArgument", "b2")
    equal(world.proxy.state()["refusals"], {"kms": 1}, "b2: KMS without a key's name, which Ceph refuses too")
    refused(world, "wasabi", "InvalidArgument", put(world, **kms), "kms")
    for name in ("spaces", "linode"):
        refused(world, name, "InvalidArgument", put(world, ServerSideEncryption="AES256"), "sse")
    for name in ("aws", "minio", "ceph"):
        play(world, name)
        equal(outcome(put(world, **kms), provider_client(world, name)), "ok", f"{name} with KMS")
    own = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    for name in PROVIDERS:
        play(world, name)
        equal(outcome(put(world, **own), provider_client(world, name)), "ok", f"{name} with SSE-C")
    world.direct.delete_object(Bucket=world.bucket, Key="k")


@check("providers: refused operations and storage classes")
def operations(world):
    bucket = {"Bucket": world.bucket}
    versions = {"VersioningConfiguration": {"Status": "Suspended"}}
    refused(world, "r2", "NotImplemented", lambda s3: s3.get_object_lock_configuration(**bucket), "lock")
    refused(world, "r2", "NotImplemented", lambda s3: s3.get_bucket_acl(**bucket), "acl-tags")
    refused(world, "r2", "NotImplemented", lambda s3: s3.put_bucket_versioning(**bucket, **versions), "versions")
    refused(world, "r2", "NotImplemented", lambda s3: s3.create_bucket(Bucket=world.bucket + "-locked",
            ObjectLockEnabledForBucket=True), "field")
    refused(world, "b2", "NotImplemented", lambda s3: s3.get_bucket_tagging(**bucket), "tags")
    refused(world, "b2", "NotImplemented", lambda s3: s3.get_bucket_policy(**bucket), "policy")
    refused(world, "spaces", "NotImplemented", lambda s3: s3.get_bucket_encryption(**bucket), "encryption")
    refused(world, "minio", "NotImplemented", lambda s3: s3.put_bucket_acl(**bucket, ACL="private"), "acl-operations")
    for name in PROVIDERS:
        refused(world, name, "InvalidStorageClass", put(world, StorageClass="GOLD"), "storage-class")
        if name not in ("aws", "ceph"):
            refused(world, name, "InvalidStorageClass", put(world, StorageClass="GLACIER"), "storage-class")
    for name, value in (("aws", "DEEP_ARCHIVE"), ("minio", "REDUCED_REDUNDANCY"), ("r2", "STANDARD_IA")):
        play(world, name)
        equal(outcome(put(world, StorageClass=value), provider_client(world, name)), "ok", f"{name}: {value}")


@check("providers: who may create which bucket")
def buckets(world):
    def create(name, place=None):
        where = {"CreateBucketConfiguration": {"LocationConstraint": place}} if place else {}
        return lambda s3: s3.create_bucket(Bucket=name, **where)

    made = world.bucket + "-made-"
    refused(world, "b2", "AccessDenied", create(made + "1"), "restricted-key", options={"restricted_key": True})
    refused(world, "linode", "TooManyRequests", create("taken-name"), "taken")
    refused(world, "wasabi", "BucketAlreadyExists", create("taken-too"), "taken")
    refused(world, "aws", "IllegalLocationConstraintException", create(made + "2"), "location")
    play(world, "aws")
    s3 = provider_client(world, "aws")
    equal(outcome(create(made + "3", "eu-central-1"), s3), "ok", "with its region")
    equal(outcome(create(made + "3", "eu-central-1"), s3), "BucketAlreadyOwnedByYou", "twice")
    equal(s3.head_bucket(Bucket=made + "3")["BucketRegion"], "eu-central-1", "HEAD")
    play(world, "aws", region="us-east-1")
    s3 = provider_client(world, "aws", region="us-east-1")
    equal([outcome(create(made + "4"), s3) for _ in range(2)], ["ok", "ok"], "us-east-1 twice")


@check("providers: parts of equal size on R2, part numbers, and what a repeated Complete gets")
def parts(world):
    def upload(s3, sizes):
        number = s3.create_multipart_upload(Bucket=world.bucket, Key="parts")["UploadId"]
        told = [{"PartNumber": part, "ETag": s3.upload_part(Bucket=world.bucket, Key="parts", UploadId=number,
                 PartNumber=part, Body=bytes(size))["ETag"]} for part, size in enumerate(sizes, 1)]
        return {"Bucket": world.bucket, "Key": "parts", "UploadId": number, "MultipartUpload": {"Parts": told}}

    def complete(sizes):
        return lambda s3: s3.complete_multipart_upload(**upload(s3, sizes))

    refused(world, "r2", "InvalidPart", complete((PART, PART + 1, 1)), "equal-parts")
    refused(world, "r2", "InvalidPart", complete((PART, PART + 1)), "equal-parts")
    play(world, "aws")
    equal(outcome(complete((PART, PART + 1, 1)), provider_client(world, "aws")), "ok", "aws")
    equal(outcome(complete((1, 1)), provider_client(world, "aws")), "EntityTooSmall", "Ceph's own check")

    def numbered(number):
        def call(s3):
            first = s3.create_multipart_upload(Bucket=world.bucket, Key="n")["UploadId"]
            s3.upload_part(Bucket=world.bucket, Key="n", UploadId=first, PartNumber=number, Body=b"x")
        return call

    refused(world, "wasabi", "InvalidArgument", numbered(1001), "part-number", options={"max_parts": 1000})
    play(world, "wasabi")
    equal(outcome(numbered(10_000), provider_client(world, "wasabi")), "ok", "the last one")
    for name, code in (("aws", "ok"), ("minio", "NoSuchUpload")):
        play(world, name)
        s3 = provider_client(world, name)
        wish = upload(s3, (PART, 3))
        etag = s3.complete_multipart_upload(**wish)["ETag"]
        equal(outcome(s3.complete_multipart_upload, **wish), code, f"{name}: again")
        if code == "ok":
            equal(s3.complete_multipart_upload(**wish)["ETag"], etag, "same answer")
        gone = {name: value for name, value in wish.items() if name != "MultipartUpload"}
        equal(outcome(s3.list_parts, **gone), "NoSuchUpload", f"{name}: parts of an upload that is gone")
        wish = upload(s3, (PART, 3))
        world.proxy.set(rules=[{"match": {"operation": "CompleteMultipartUpload", "nth": 1},
                                "action": {"do": "lose_answer"}}])
        equal(outcome(s3.complete_multipart_upload, **wish), "ConnectionClosedError", f"{name}: lost")
        equal(outcome(s3.complete_multipart_upload, **wish), code, f"{name}: again, after a lost answer")


@check("providers: checksums are verified, told for objects and parts, and combined for the whole")
def checksums(world):
    wrong = put(world, ChecksumCRC64NVME=checksum(b"y"))
    for name in ("aws", "minio", "wasabi", "r2"):
        refused(world, name, "BadDigest", wrong, "checksum")
    play(world, "aws")
    s3 = provider_client(world, "aws")
    told = put(world, ChecksumCRC64NVME=checksum(b"x"))(s3)
    equal((told["ChecksumCRC64NVME"], told["ServerSideEncryption"]), (checksum(b"x"), "AES256"), "told")
    head = {"Bucket": world.bucket, "Key": "k"}
    equal(s3.head_object(**head, ChecksumMode="ENABLED")["ChecksumCRC64NVME"], checksum(b"x"), "HEAD")
    equal(s3.head_object(**head).get("ChecksumCRC64NVME"), None, "HEAD without the mode")
    equal(put(world)(s3)["ChecksumCRC64NVME"], checksum(b"x"), "computed by the provider")
    object_ = {"Bucket": world.bucket, "Key": "parts"}
    bodies = (b"a" * PART, b"b" * 1000)
    declared = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}
    upload = s3.create_multipart_upload(**object_, **declared)["UploadId"]
    equal(outcome(s3.upload_part, **object_, UploadId=upload, PartNumber=1, Body=b"x"), "InvalidRequest", "none")
    made = []
    for number, body in enumerate(bodies, 1):
        sums = {"ChecksumCRC64NVME": checksum(body)}
        told = s3.upload_part(**object_, UploadId=upload, PartNumber=number, Body=body, **sums)
        made.append({"PartNumber": number, "ETag": told["ETag"], **sums})
    listed = s3.list_parts(**object_, UploadId=upload)["Parts"]
    equal([part["ChecksumCRC64NVME"] for part in listed], [part["ChecksumCRC64NVME"] for part in made], "ListParts")
    wish = {**object_, "UploadId": upload, "MultipartUpload": {"Parts": made}, "ChecksumType": "FULL_OBJECT"}
    equal(outcome(s3.complete_multipart_upload, **wish, ChecksumCRC64NVME=checksum(b"")), "BadDigest", "whole")
    equal(outcome(s3.complete_multipart_upload, **wish, MpuObjectSize=5), "InvalidRequest", "size")
    told = s3.complete_multipart_upload(**wish, ChecksumCRC64NVME="6kicW+ugDI8=", MpuObjectSize=PART + 1000)
    equal(told["ChecksumCRC64NVME"], "6kicW+ugDI8=", "combined")
    equal(s3.head_object(**object_, ChecksumMode="ENABLED")["ChecksumCRC64NVME"], "6kicW+ugDI8=", "HEAD of the whole")

    def undeclared(s3):
        first = s3.create_multipart_upload(**object_)["UploadId"]
        s3.upload_part(**object_, UploadId=first, PartNumber=1, Body=b"x", ChecksumCRC64NVME=checksum(b"x"))

    refused(world, "wasabi", "InvalidRequest", undeclared, "checksum")


@check("providers: object lock and DeleteObjects need a digest of the body")
def digests(world):
    bucket = world.bucket + "-lock"
    world.direct.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    lock = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {
        "DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}}
    for name in ("wasabi", "ceph"):
        play(world, name)
        s3 = provider_client(world, name)
        wish = {"Bucket": bucket, "Key": "k", "Body": b"x"}
        equal(outcome(s3.put_object, **wish), "ok", "before the lock")
        s3.meta.events.register("before-sign.s3.PutObjectLockConfiguration", md5_of_body)
        s3.put_object_lock_configuration(Bucket=bucket, **lock)
        equal(outcome(s3.put_object, **wish), "InvalidRequest", "no digest")
        equal(outcome(s3.put_object, **wish, ContentMD5=digest(b"x")), "ok", "with a digest")
        equal(outcome(s3.put_object, **wish, ContentMD5=digest(b"y")), "BadDigest", "with a wrong one")
    play(world, "b2")
    s3 = provider_client(world, "b2")
    wish = {"Bucket": world.bucket, "Delete": {"Objects": [{"Key": "none"}]}}
    s3.meta.events.register("before-sign.s3.DeleteObjects", without_digest)
    equal(outcome(s3.delete_objects, **wish), "InvalidRequest", "DeleteObjects without")
    s3.meta.events.register("before-sign.s3.DeleteObjects", md5_of_body)
    equal(outcome(s3.delete_objects, **wish), "ok", "DeleteObjects with")


def without_digest(request, **_):
    for name in list(request.headers):
        if "checksum" in name.lower() or name.lower() == "content-md5":
            del request.headers[name]


def md5_of_body(request, **_):
    without_digest(request)
    body = request.data if isinstance(request.data, bytes) else request.data.encode()
    request.headers["Content-MD5"] = digest(body)
