"""Signature Version 4 as the receiving side sees it: checked, or made anew for another time.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import calendar
import hashlib
import hmac
import re
import time
import urllib.parse

FORM = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request\s*,\s*"
    r"SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})"
)


class Authorization:
    """What the Authorization field says; None of it where the request is not signed that way."""

    def __init__(self, match):
        self.access_key, self.day, self.region, self.service, signed, self.signature = match.groups()
        self.signed = signed.split(";")

    @classmethod
    def of(cls, request):
        match = FORM.match(request.header("authorization", ""))
        return cls(match) if match else None


def region_of(request):
    """The region of the credential's scope, from the field or from the query of a presigned URL."""
    authorization = Authorization.of(request)
    if authorization:
        return authorization.region
    scope = request.query.get("X-Amz-Credential", "").split("/")
    return scope[2] if len(scope) == 5 else None


def signed_fields(request):
    authorization = Authorization.of(request)
    return authorization.signed if authorization else request.query.get("X-Amz-SignedHeaders", "").split(";")


def signed_at(request):
    """Seconds since 1970 of the signature's time; None without one."""
    text = request.header("x-amz-date") or request.query.get("X-Amz-Date")
    try:
        return calendar.timegm(time.strptime(text or "", "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


def quoted(text):
    return urllib.parse.quote(text, safe="-_.~")


def compute(request, authorization, secret, stamp):
    path = urllib.parse.quote(urllib.parse.unquote_to_bytes(request.path), safe="/-_.~")
    query = "&".join(sorted(f"{quoted(name)}={quoted(value)}" for name, value in request.query.items()))
    fields = ""
    for name in authorization.signed:
        value = stamp if name == "x-amz-date" else request.header(name, "")
        fields += f"{name}:{' '.join(value.split())}\n"
    canonical = "\n".join([request.method, path, query, fields, ";".join(authorization.signed),
                           request.header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")])
    scope = f"{stamp[:8]}/{authorization.region}/{authorization.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex(), scope


def resign(request, keys, at=None, body=None, without=()):
    """Checks the client's signature and signs anew: for the time `at`, with another body, without some fields.

    False, and nothing changed, where the key is not known or the signature does not match.
    """
    authorization = Authorization.of(request)
    secret = keys.get(authorization.access_key) if authorization else None
    if secret is None:
        return False
    stamp = request.header("x-amz-date", "")
    expected, _ = compute(request, authorization, secret, stamp)
    if not hmac.compare_digest(expected, authorization.signature):
        return False
    if at is not None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        request.head.set("x-amz-date", stamp)
    if body is not None:
        request.body = body
        request.head.set("Content-Length", str(len(body)))
        request.head.set("x-amz-content-sha256", hashlib.sha256(body).hexdigest())
        without = (*without, "content-md5", *(name for name in request.head.names() if "checksum" in name))
    for name in without:
        request.head.remove(name)
    authorization.signed = [name for name in authorization.signed if name not in without]
    value, scope = compute(request, authorization, secret, stamp)
    request.head.set("Authorization", f"AWS4-HMAC-SHA256 Credential={authorization.access_key}/{scope}, "
                     f"SignedHeaders={';'.join(authorization.signed)}, Signature={value}")
    return True
