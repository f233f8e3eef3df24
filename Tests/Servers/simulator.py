"""Plays one provider before Ceph: refuses what it refuses, changes answers to its form. The data is in providers.py."""

import base64
import hashlib
import html
import re
import time

import signature
from checksums import ALGORITHMS, crc64_of_parts
from messages import Answer
from providers import DEPLOYED_CLASSES, PROVIDERS, WRITES

DOMAINS = ["localhost"] + [provider.domain for provider in PROVIDERS.values()]
OPTIONS = {"rate_limit", "region", "addressing", "host", "redirect", "restricted_key", "taken", "max_parts",
           "write_interval"}
READ_ANSWERS = {"CreateMultipartUpload", "CompleteMultipartUpload", "ListParts", "GetBucketLocation"}
LOCK_FIELDS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold")
PART = re.compile(rb"<Part>(.*?)</Part>", re.DOTALL)
ETAG = re.compile(rb"<ETag>.*?</ETag>|<ETag ?/>", re.DOTALL)
DOTLESS = re.compile(r"[a-z0-9][a-z0-9-]*")


def element(name, text, default=None):
    match = re.search(rb"<%b[^>]*>\s*([^<]*?)\s*</%b>" % (name, name), text)
    return html.unescape(match[1].decode()) if match else default


class Upload:
    """What a multipart upload was told so far."""

    def __init__(self, algorithm=None, locked=False):
        self.algorithm = algorithm
        self.locked = locked
        self.parts = {}  # number: (size, {algorithm: value})
        self.etags = {}
        self.answer = None  # to Complete


class Simulator:
    def __init__(self, name, options=None, keys=None):
        if name not in PROVIDERS:
            raise ValueError(f"there is no provider '{name}'; known: {', '.join(PROVIDERS)}")
        options = options or {}
        if set(options) - OPTIONS:
            raise ValueError(f"unknown options: {', '.join(sorted(set(options) - OPTIONS))}")
        self.provider = PROVIDERS[name]
        self.name = name
        self.keys = keys or {}
        self.rate_limit = options.get("rate_limit", 10)
        self.regions = (options["region"],) if "region" in options else self.provider.regions
        self.addressing = options.get("addressing", self.provider.addressing)
        self.domains = DOMAINS + ([options["host"]] if "host" in options else [])
        self.redirect = options.get("redirect", False)
        self.restricted_key = options.get("restricted_key", False)
        self.taken = re.compile(options.get("taken", "^taken-"))
        self.max_parts = options.get("max_parts", self.provider.max_parts)
        self.write_interval = options.get("write_interval", self.provider.write_interval)
        self.refusals = {}
        self.seen = 0
        self.uploads = {}
        self.objects = {}  # (bucket, key): {algorithm: value}
        self.encrypted = {}  # (bucket, key): algorithm
        self.written = {}  # (bucket, key): time
        self.owned = set()
        self.locked_buckets = set()

    # --- before the upstream

    def refuse(self, request):
        """The provider's refusal; None where the request goes on, with what Ceph cannot take removed from it."""
        for step in (self._addressing, self._region, self._rate, self._table, self._storage_class, self._bucket,
                     self._part, self._digest, self._checksum, self._complete, self._interval):
            answer = step(request)
            if answer:
                return answer
        self._adapt(request)
        return None

    def _no(self, name, status, code, message="", fields=(), extra=""):
        self.refusals[name] = self.refusals.get(name, 0) + 1
        return Answer.error(status, code, html.escape(message, quote=False), fields, extra)

    def _addressing(self, request):
        # Tools ask for the location by path, because they do not know the endpoint yet.
        if not request.bucket or self.addressing == "either" or request.operation == "GetBucketLocation":
            return None
        # Names with dots do not fit the certificate's wildcard: paths are documented for them.
        if self.addressing == "host" and request.virtual_bucket is None and DOTLESS.fullmatch(request.bucket):
            return self._no("addressing", 400, "InvalidRequest", "Path style is refused; use BUCKET.HOST.")
        if self.addressing == "path" and request.virtual_bucket is not None:
            return self._no("addressing", 400, "InvalidRequest", "Virtual hosts are not set up; use HOST/BUCKET.")
        return None

    def _region(self, request):
        given = signature.region_of(request)
        if not self.regions or given is None or given in self.regions:
            return None
        provider, expected = self.provider, self.regions[0]
        fields = [("x-amz-bucket-region", expected)] if self.name == "aws" else []
        if self.redirect:
            endpoint = f"{request.bucket}.{provider.domain}"
            return self._no("region", 301, "PermanentRedirect", "The bucket must be addressed at its endpoint.", fields,
                            f"<Endpoint>{endpoint}</Endpoint><Bucket>{request.bucket}</Bucket>")
        message = provider.region_message.format(given=given, expected=expected)
        extra = f"<Region>{expected}</Region>" if provider.region_code == "AuthorizationHeaderMalformed" else ""
        return self._no("region", provider.region_status, provider.region_code, message, fields, extra)

    def _rate(self, request):
        self.seen += 1
        if not self.rate_limit or self.seen % self.rate_limit:
            return None
        limit = self.provider.limit
        return self._no("rate", limit.status, limit.code, limit.message, limit.fields)

    def _table(self, request):
        for refusal in self.provider.refusals:
            met = refusal.meets(request)
            if met:
                message = refusal.message.format(field=met[0], value=met[1])
                return self._no(refusal.name, refusal.status, refusal.code, message)
        return None

    def _storage_class(self, request):
        value = request.header("x-amz-storage-class")
        if value is None or value in self.provider.storage_classes:
            return None
        return self._no("storage-class", 400, "InvalidStorageClass", "The storage class you specified is not valid")

    def _bucket(self, request):
        if request.operation != "CreateBucket":
            return None
        provider = self.provider
        if self.restricted_key:
            return self._no("restricted-key", *provider.restricted, "not entitled")
        if self.taken.search(request.bucket):
            return self._no("taken", *provider.taken, "The requested bucket name is not available.")
        given = element(b"LocationConstraint", request.body or b"")
        if provider.checks_location:
            region = self.regions[0]
            if (given or "us-east-1") != region:
                return self._no("location", 400, "IllegalLocationConstraintException",
                                f"The {given or 'unspecified'} location constraint is incompatible for the region "
                                "specific endpoint this request was sent to.")
            if given == "us-east-1":
                return self._no("location", 400, "InvalidLocationConstraint", "us-east-1 is given by no constraint.")
        if request.bucket in self.owned and not (self.name == "aws" and self.regions[0] == "us-east-1"):
            return self._no("owned", 409, "BucketAlreadyOwnedByYou", "You have it already.")
        return None

    def _part(self, request):
        if request.operation not in ("UploadPart", "UploadPartCopy"):
            return None
        if request.part is None or not 1 <= request.part <= self.max_parts:
            return self._no("part-number", 400, "InvalidArgument",
                            f"Part number must be an integer between 1 and {self.max_parts}, inclusive")
        return None

    def _digest(self, request):
        """Object lock and DeleteObjects need Content-MD5, or a checksum where the provider knows them."""
        upload = self.uploads.get(request.upload)
        locked = request.bucket in self.locked_buckets or any(request.header(name) for name in LOCK_FIELDS) or (
            upload is not None and upload.locked)
        needed = request.operation == "DeleteObjects" or (locked and request.operation in ("PutObject", "UploadPart"))
        given = request.header("content-md5")
        known = [name for name in self.provider.checksums if request.header("x-amz-checksum-" + name)]
        if needed and given is None and not known:
            return self._no("digest", 400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required "
                            "for this request")
        if given is not None and request.body:
            if base64.b64encode(hashlib.md5(request.body).digest()).decode() != given:
                return self._no("digest", 400, "BadDigest", "The Content-MD5 you specified did not match what we "
                                "received.")
        return None

    def _checksum(self, request):
        provider = self.provider
        if request.operation not in ("PutObject", "UploadPart"):
            return None
        given = {name: request.header("x-amz-checksum-" + name) for name in provider.checksums
                 if request.header("x-amz-checksum-" + name)}
        if len(given) > 1:
            return self._no("checksum", 400, "InvalidRequest", "Expecting a single x-amz-checksum- header.")
        for name, value in given.items():
            if request.body is not None and ALGORITHMS[name](request.body) != value:
                return self._no("checksum", 400, "BadDigest", f"The {name.upper()} you specified did not match.")
        upload = self.uploads.get(request.upload)
        if upload is None:
            return None
        if upload.algorithm and upload.algorithm not in given:
            return self._no("checksum", 400, "InvalidRequest",
                            f"The upload was created using a {upload.algorithm} checksum; each part must have one.")
        if given and not upload.algorithm and provider.checksum_is_declared:
            return self._no("checksum", 400, "InvalidRequest", "The checksum was not declared when the upload was "
                            "created.")
        return None

    def _complete(self, request):
        upload = self.uploads.get(request.upload)
        if request.operation != "CompleteMultipartUpload" or upload is None:
            return None
        if upload.answer is not None and self.provider.repeated_complete == "accepted":
            return Answer(200, upload.answer)
        if upload.answer is not None and self.provider.repeated_complete == "NoSuchUpload":
            return self._no("repeated", 404, "NoSuchUpload", "The specified multipart upload does not exist.")
        numbers = [int(element(b"PartNumber", part, "0")) for part in PART.findall(request.body or b"")]
        parts = [upload.parts.get(number) for number in numbers]
        if None in parts:
            return None  # The upstream says what is missing.
        sizes = [size for size, _ in parts]
        if self.provider.equal_parts and len(set(sizes[:-1])) > 1:
            return self._no("equal-parts", 400, "InvalidPart", "All non-trailing parts must have the same length.")
        if self.provider.equal_parts and len(sizes) > 1 and sizes[-1] > sizes[0]:
            return self._no("equal-parts", 400, "InvalidPart", "The last part must not be larger than the others.")
        size = request.header("x-amz-mp-object-size")
        if size is not None and int(size) != sum(sizes):
            return self._no("size", 400, "InvalidRequest", "x-amz-mp-object-size does not match.")
        expected = self._whole(upload, parts)
        given = request.header("x-amz-checksum-crc64nvme")
        if given and expected and given != expected:
            return self._no("checksum", 400, "BadDigest", "The CRC64NVME you specified did not match.")
        return None

    @staticmethod
    def _whole(upload, parts):
        """CRC64NVME of the object where each part has one."""
        if not all("crc64nvme" in sums for _, sums in parts):
            return None
        return crc64_of_parts([(sums["crc64nvme"], size) for size, sums in parts])

    def _interval(self, request):
        if not self.write_interval or request.operation not in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
            return None
        last = self.written.get((request.bucket, request.key))
        if last is None or time.monotonic() - last >= self.write_interval:
            return None
        limit = self.provider.limit
        return self._no("interval", limit.status, limit.code, limit.message, limit.fields)

    def _adapt(self, request):
        """Takes from the request what the provider accepts and Ceph would not, and signs the rest."""
        value = request.header("x-amz-storage-class")
        if value is not None and value not in DEPLOYED_CLASSES:
            signature.resign(request, self.keys, without=("x-amz-storage-class",))
        if request.operation == "CreateBucket" and request.body:
            signature.resign(request, self.keys, body=b"")

    # --- after the upstream

    def reads_answer(self, request, head):
        return (head.status == 200 and request.operation in READ_ANSWERS) or self._lost_upload(request, head)

    def _lost_upload(self, request, head):
        """Ceph says NoSuchKey of an upload that is gone; the others say NoSuchUpload."""
        return head.status == 404 and request.upload is not None and self.name != "ceph"

    def answered(self, request, head, body):
        """Notes what the upstream did, and gives the answer the provider's form; returns the body."""
        if request.operation in ("CreateBucket", "HeadBucket", "DeleteBucket"):
            self._note_bucket(request, head)
        if body is not None and self._lost_upload(request, head):
            return body.replace(b"<Code>NoSuchKey<", b"<Code>NoSuchUpload<")
        if head.status >= 300:
            return body
        place = (request.bucket, request.key)
        if request.operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
            self.written[place] = time.monotonic()
        handler = getattr(self, "_after_" + request.operation, None)
        if handler:
            body = handler(request, head, body)
        if request.operation in WRITES | {"HeadObject", "GetObject"}:
            self._tell_encryption(request, head, place)
        return body

    def _note_bucket(self, request, head):
        if request.operation == "DeleteBucket" and head.status < 300:
            self.owned.discard(request.bucket)
            self.locked_buckets.discard(request.bucket)
        elif request.operation == "CreateBucket" and head.status < 300:
            self.owned.add(request.bucket)
        if self.regions and self.name == "aws":
            head.set("x-amz-bucket-region", self.regions[0])

    def _tell_encryption(self, request, head, place):
        given = request.header("x-amz-server-side-encryption")
        if given and request.operation in WRITES:
            self.encrypted[place] = given
        if head.get("x-amz-server-side-encryption") is None and not head.get(
                "x-amz-server-side-encryption-customer-algorithm"):
            value = self.encrypted.get(place, self.provider.default_sse)
            if value:
                head.set("x-amz-server-side-encryption", value)

    def _sums(self, request):
        """The checksums of a body: the given one, or for small bodies what the provider computes by itself."""
        given = {name: request.header("x-amz-checksum-" + name) for name in self.provider.checksums
                 if request.header("x-amz-checksum-" + name)}
        if not given and request.body is not None and self.name == "aws":
            given = {"crc64nvme": ALGORITHMS["crc64nvme"](request.body)}
        return given

    @staticmethod
    def _tell_sums(head, sums, kind="FULL_OBJECT"):
        for name, value in sums.items():
            head.set("x-amz-checksum-" + name, value)
        if sums:
            head.set("x-amz-checksum-type", kind)

    def _after_PutObject(self, request, head, body):
        self.objects[request.bucket, request.key] = sums = self._sums(request)
        self._tell_sums(head, sums)
        return body

    def _after_UploadPart(self, request, head, body):
        sums = self._sums(request)
        upload = self.uploads.get(request.upload)
        if upload is not None:
            upload.parts[request.part] = (int(request.header("content-length", "0")), sums)
            upload.etags[request.part] = head.get("etag", "").strip('"')
        for name, value in sums.items():
            head.set("x-amz-checksum-" + name, value)
        return body

    def _after_CreateMultipartUpload(self, request, head, body):
        algorithm = request.header("x-amz-checksum-algorithm", "").lower()
        upload = Upload(algorithm if algorithm in self.provider.checksums else None,
                        any(request.header(name) for name in LOCK_FIELDS))
        self.uploads[element(b"UploadId", body)] = upload
        if upload.algorithm:
            head.set("x-amz-checksum-algorithm", algorithm.upper())
            head.set("x-amz-checksum-type", request.header("x-amz-checksum-type", "FULL_OBJECT"))
        return body

    def _after_CompleteMultipartUpload(self, request, head, body):
        upload = self.uploads.get(request.upload)
        if upload is None:
            return body
        numbers = [int(element(b"PartNumber", part, "0")) for part in PART.findall(request.body or b"")]
        parts = [upload.parts[number] for number in numbers if number in upload.parts]
        whole = self._whole(upload, parts) if len(parts) == len(numbers) else None
        self.objects[request.bucket, request.key] = {"crc64nvme": whole} if whole else {}
        end = body.rfind(b"</")
        if whole and end > 0:
            told = f"<ChecksumCRC64NVME>{whole}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>".encode()
            body = body[:end] + told + body[end:]
        # Ceph's own first answer has no ETag. The others have one: MD5 of the parts' MD5s.
        if self.provider.empty_etag:
            body = ETAG.sub(b"<ETag></ETag>", body)
        elif not element(b"ETag", body) and len(parts) == len(numbers):
            joined = hashlib.md5(b"".join(bytes.fromhex(upload.etags[number]) for number in numbers)).hexdigest()
            body = ETAG.sub(f"<ETag>&quot;{joined}-{len(numbers)}&quot;</ETag>".encode(), body)
        upload.answer = body
        if self.provider.spaces:
            declaration, mark, rest = body.partition(b"?>")
            body = declaration + mark + b"\n" + b" " * 64 + b"\n" + rest if mark else body
        return body

    def _after_ListParts(self, request, head, body):
        upload = self.uploads.get(request.upload)
        if upload is None or not self.provider.checksums:
            return body

        def told(match):
            _, sums = upload.parts.get(int(element(b"PartNumber", match[1], "0")), (0, {}))
            extra = "".join(f"<Checksum{name.upper()}>{value}</Checksum{name.upper()}>" for name, value in sums.items())
            return b"<Part>" + match[1] + extra.encode() + b"</Part>"

        return PART.sub(told, body)

    def _after_GetBucketLocation(self, request, head, body):
        region = self.regions[0] if self.regions else "us-east-1"
        text = "" if region == "us-east-1" else region
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/'
                f'2006-03-01/">{text}</LocationConstraint>').encode()

    def _after_PutObjectLockConfiguration(self, request, head, body):
        self.locked_buckets.add(request.bucket)
        return body

    def _after_HeadObject(self, request, head, body):
        if request.header("x-amz-checksum-mode", "").upper() == "ENABLED" and request.header("range") is None:
            self._tell_sums(head, self.objects.get((request.bucket, request.key), {}))
        return body

    _after_GetObject = _after_HeadObject

    def _after_CopyObject(self, request, head, body):
        # The copy's checksums are the source's where this simulator saw that, else unknown.
        source = request.header("x-amz-copy-source", "").lstrip("/").split("?")[0]
        bucket, _, key = source.partition("/")
        self.objects[request.bucket, request.key] = self.objects.get((bucket, key), {})
        return body
