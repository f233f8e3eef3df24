"""Each fault of the proxy, seen by a client; each check would fail where the rule did nothing."""

import datetime
import email.utils
import http.client
import json
import os
import socket
import time
import urllib.parse
from unittest import mock

import botocore.auth

from selftest_support import PART, check, client, equal, holds, md5, outcome, Failed, Proxy, PREFIX

RESETS = ("ConnectionClosedError", "EndpointConnectionError", "ProxyConnectionError", "HTTPClientError",
          "ResponseStreamingError", "IncompleteReadError", "ConnectionResetError")


@check("the proxy changes nothing without rules, counts, and streams in little memory")
def plain(world):
    body = os.urandom(48 << 20)
    key = world.key()
    equal(world.put(body, key=key), "ok", "put")
    holds(world.get(key) == body, "what came back differs")
    equal(world.stored(key) == body, True, "what is stored")
    state = world.proxy.state()["operations"]
    equal(state["PutObject"]["bytes_received"], len(body), "bytes received")
    equal(state["GetObject"]["bytes_sent"], len(body), "bytes sent")
    equal(state["PutObject"]["statuses"], {"200": 1}, "statuses")
    with open(f"/proc/{world.proxy.process.pid}/status", encoding="ascii") as file:
        peak = int(file.read().split("VmHWM:")[1].split()[0]) // 1024
    holds(peak < 80, f"the proxy took {peak} MiB")


@check("a wrong rule is refused and changes nothing")
def wrong_rule(world):
    world.proxy.rule("status", {"operation": "PutObject"})
    for rule in ({"action": {"do": "explode"}}, {"match": {"operations": 1}, "action": {"do": "html"}},
                 {"action": {"do": "truncate"}}, {"match": {"key": "("}, "action": {"do": "html"}}):
        connection = http.client.HTTPConnection("127.0.0.1", int(world.proxy.address.split(":")[2].split("/")[0]))
        connection.request("POST", "/_control", json.dumps({"reset": True, "rules": [rule]}))
        equal(connection.getresponse().status, 400, str(rule))
        connection.close()
    equal(len(world.proxy.state()["rules"]), 1, "rules")


@check("status: code, message, header and a body of its own; HEAD has no body")
def status(world):
    world.proxy.rule("status", status=429, code="TooManyRequests", headers={"Retry-After": "7"})
    try:
        world.s3.put_object(Bucket=world.bucket, Key="refused", Body=b"x")
        raise Failed("not refused")
    except world.s3.exceptions.ClientError as error:
        equal(error.response["Error"]["Code"], "TooManyRequests", "code")
        equal(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"], "7", "Retry-After")
    equal(world.stored("refused"), None, "stored")
    equal(outcome(world.s3.head_object, Bucket=world.bucket, Key="k"), "429", "HEAD")
    world.proxy.rule("status", status=500, body="<Error><Code>Odd</Code></Error>")
    equal(world.put(), "Odd", "own body")
    world.proxy.rule("status", status=503, forward=True)
    equal((world.put(key="forwarded"), world.stored("forwarded")), ("SlowDown", b"hello"), "forward")


@check("status early: answered before the body is read, then closed")
def early(world):
    world.proxy.rule("status", early=True)
    with socket.create_connection(("127.0.0.1", world.proxy.port)) as connection:
        connection.sendall(b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        connection.settimeout(2)
        holds(connection.recv(4096).startswith(b"HTTP/1.1 503"), "no early answer")


@check("match: operation, part, key, method, nth, first, after, every, times, header")
def matches(world):
    def series(match, count=6):
        world.proxy.rule("status", match)
        return "".join("x" if world.put(key=f"dir/{number}") != "ok" else "." for number in range(count))

    equal(series({"operation": "PutObject", "nth": 2}), ".x....", "nth")
    equal(series({"nth": [1, 4]}), "x..x..", "nth list")
    equal(series({"first": 2}), "xx....", "first")
    equal(series({"after": 4}), "....xx", "after")
    equal(series({"every": 3}), "..x..x", "every")
    equal(series({"every": 2, "times": 1}), ".x....", "times")
    equal(series({"key": "/3$"}), "...x..", "key")
    equal(series({"bucket": "^other"}), "......", "bucket")
    equal(series({"method": ["PUT"], "first": 1}), "x.....", "method")
    equal(series({"operation": ["GetObject", "UploadPart"]}), "......", "operation")
    equal(series({"header": {"x-amz-date": "Z$"}, "first": 1}), "x.....", "header")
    equal(series({"header": {"x-amz-nothing": ""}}), "......", "absent header")
    first, second = (series({"probability": 0.5, "seed": 3}, 20) for _ in range(2))
    equal(first, second, "same seed")
    holds(3 < first.count("x") < 17, f"probability: {first}")
    holds(first != series({"probability": 0.5, "seed": 4}, 20), "another seed gives the same")
    key = world.key()
    world.proxy.rule("status", {"operation": "UploadPart", "part": 2})
    upload = world.start_upload(key)
    world.part(key, upload, 1, b"a")
    equal(outcome(world.part, key, upload, 2, b"b"), "SlowDown", "part 2")
    world.s3.abort_multipart_upload(Bucket=world.bucket, Key=key, UploadId=upload)
    state = world.proxy.state()
    equal((state["rules"][0]["seen"], state["rules"][0]["fired"]), (1, 1), "seen and fired")


@check("reset: at the start, before the answer, in the request's body, in the answer's body")
def reset(world):
    big = b"z" * (4 << 20)
    equal(world.put(big, key="big"), "ok", "before")
    for action in ({"when": "at_start"}, {"when": "before_answer"}, {"request_bytes": 1 << 20}, {"how": "fin"}):
        world.proxy.rule("reset", **action)
        key = world.key()
        holds(world.put(big, key=key) in RESETS, f"{action}: not cut")
        equal(world.stored(key), None, f"{action}: stored")
        equal(world.proxy.state()["operations"]["PutObject"]["cut"], 1, "cut")
    for how in ("rst", "fin"):
        world.proxy.rule("reset", response_bytes=1 << 20, how=how)
        holds(outcome(world.get, "big") in RESETS, f"{how}: the answer was not cut")


@check("stall: with an end it only takes longer, without one the client's time runs out")
def stall(world):
    hasty = client(world.proxy.endpoint, timeout=0.5)
    for action in ({"when": "at_start"}, {"when": "before_answer"}, {"response_bytes": 2}):
        equal(world.put(), "ok", "put")
        world.proxy.rule("stall", {"operation": "GetObject"}, seconds=0.4, **action)
        begun = time.monotonic()
        equal(world.get(), b"hello", "after the stall")
        holds(time.monotonic() - begun >= 0.4, f"{action}: no stall")
        world.proxy.rule("stall", {"operation": "GetObject"}, **action)

        def read():
            hasty.get_object(Bucket=world.bucket, Key="k")["Body"].read()

        equal(outcome(read), "ReadTimeoutError", str(action))
        world.proxy.set(reset=True)
    world.proxy.rule("stall", request_bytes=1 << 20, seconds=0.4)
    begun = time.monotonic()
    equal(world.put(b"y" * (2 << 20)), "ok", "in the request's body")
    holds(time.monotonic() - begun >= 0.4, "no stall in the request's body")


@check("truncate: less than Content-Length says, or a Content-Length that hides it")
def truncate(world):
    world.put(b"0123456789")
    world.proxy.rule("truncate", {"operation": "GetObject"}, bytes=4)
    holds(outcome(world.get) in RESETS, "not noticed")
    world.proxy.rule("truncate", {"operation": "GetObject"}, bytes=4, length="truncated")
    equal(world.get(), b"0123", "hidden")


@check("error_in_200: an <Error> in a 200, with the operation done or not")
def error_in_200(world):
    def raw(key, forward):
        upload = world.start_upload(key)
        part = world.part(key, upload, 1, b"a")
        body = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part['ETag']}</ETag></Part>"
                "</CompleteMultipartUpload>").encode()
        world.proxy.rule("error_in_200", {"operation": "CompleteMultipartUpload"}, forward=forward, spaces=20)
        url = world.s3.generate_presigned_url("complete_multipart_upload", HttpMethod="POST", Params={
            "Bucket": world.bucket, "Key": key, "UploadId": upload})
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        connection.request("POST", parts.path + "?" + parts.query, body)
        answer = connection.getresponse()
        return answer.status, b"<Error><Code>InternalError" in answer.read(), world.stored(key)

    equal(raw(world.key(), False), (200, True, None), "not done")
    equal(raw(world.key(), True), (200, True, b"a"), "done")


@check("lose_answer: the server did it, the client does not hear")
def lose_answer(world):
    for how in ("rst", "fin"):
        world.proxy.rule("lose_answer", how=how)
        key = world.key()
        holds(world.put(key=key) in RESETS, "the answer came")
        equal(world.stored(key), b"hello", "stored")
        holds(outcome(world.s3.delete_object, Bucket=world.bucket, Key=key) in RESETS, "the answer to Delete came")
        equal(world.stored(key), None, "deleted")


@check("etag: a wrong or empty one in the field and in the XML")
def etag(world):
    key = world.key()
    world.proxy.rule("etag")
    equal(world.s3.put_object(Bucket=world.bucket, Key=key, Body=b"x")["ETag"], '"' + "0" * 32 + '"', "field")
    world.proxy.set(reset=True)
    upload = world.start_upload(key)
    parts = [world.part(key, upload, 1, b"a")]
    equal(parts[0]["ETag"], md5(b"a"), "true")
    world.proxy.rule("etag", value='"wrong"')
    listed = world.s3.list_parts(Bucket=world.bucket, Key=key, UploadId=upload)["Parts"]
    equal([part["ETag"] for part in listed], ['"wrong"'], "ListParts")
    world.proxy.rule("etag", value="")
    equal(world.complete(key, upload, parts).get("ETag"), "", "Complete")


@check("corrupt: one byte on the way up is refused, one on the way down arrives wrong")
def corrupt(world):
    body = bytes(1 << 20)
    equal(world.put(body, key="whole"), "ok", "put")
    world.proxy.rule("corrupt", where="request", offset=700_000)
    holds(world.put(body, key="bad") != "ok", "the server took a changed body")
    equal(world.stored("bad"), None, "stored")
    world.proxy.rule("corrupt", where="response", offset=700_000, xor=4)
    got = world.get("whole")
    equal([(index, byte) for index, byte in enumerate(got) if byte], [(700_000, 4)], "changed bytes")


@check("html and empty: a page, or nothing, instead of XML")
def pages(world):
    world.proxy.rule("html")
    holds(outcome(world.s3.list_objects_v2, Bucket=world.bucket) != "ok", "a page was taken for a list")
    world.proxy.rule("empty")
    equal(world.s3.list_objects_v2(Bucket=world.bucket).get("KeyCount"), None, "empty")
    world.proxy.rule("empty", forward=True)
    equal((world.put(key="silent"), world.stored("silent")), ("ok", b"hello"), "forward")


@check("delay and bandwidth: slower by what was asked for")
def slower(world):
    world.proxy.rule("delay", seconds=0.3)
    begun = time.monotonic()
    equal(world.put(), "ok", "delayed")
    holds(time.monotonic() - begun >= 0.3, "no delay")
    actions = {"request": lambda: world.put(bytes(1 << 20), key="slow"), "response": lambda: world.get("slow")}
    for direction, action in actions.items():
        world.proxy.rule("bandwidth", bytes_per_second=2 << 20, direction=direction)
        begun = time.monotonic()
        action()
        took = time.monotonic() - begun
        holds(0.45 <= took < 1.5, f"{direction}: {took:.2f} s")


@check("header: fields of the answer set and removed")
def header(world):
    world.put()
    world.proxy.rule("header", set={"x-amz-bucket-region": "mars-1"}, remove=["Last-Modified"])
    fields = world.s3.head_object(Bucket=world.bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]
    equal((fields.get("x-amz-bucket-region"), fields.get("last-modified")), ("mars-1", None), "fields")


@check("clock: an hour ahead refuses the right time, takes its own, and checks the signature itself")
def clock(world):
    world.proxy.set(reset=True, clock={"seconds": 3600})
    try:
        world.s3.put_object(Bucket=world.bucket, Key="t", Body=b"x")
        raise Failed("not refused")
    except world.s3.exceptions.ClientError as error:
        equal(error.response["Error"]["Code"], "RequestTimeTooSkewed", "code")
        date = error.response["ResponseMetadata"]["HTTPHeaders"]["date"]
    ahead = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
    holds(3590 < ahead < 3610, f"Date is ahead by {ahead}")

    def later(*_, **__):
        return datetime.datetime.utcnow() + datetime.timedelta(hours=1)

    with mock.patch.object(botocore.auth, "get_current_datetime", later, create=True):
        equal(world.put(b"ahead", key="dir with blank/ü+1"), "ok", "an hour ahead")
        wrong = client(world.proxy.endpoint, aws_session_token=None)
        wrong._request_signer._credentials.secret_key = "wrong"
        equal(outcome(wrong.list_buckets), "SignatureDoesNotMatch", "a wrong secret")
    equal(world.stored("dir with blank/ü+1"), b"ahead", "stored")


@check("records: parts, ranges and peaks are told; upstream may be changed and missing")
def records(world):
    key = world.key()
    upload = world.start_upload(key)
    parts = [world.part(key, upload, number, bytes(PART if number == 1 else 9)) for number in (1, 2)]
    world.complete(key, upload, parts)
    world.get(key, Range="bytes=5-9")
    told = [(one["operation"], one["part"], one["range"], one["received"], one["sent"], one["status"])
            for one in world.proxy.requests() if one["operation"] in ("UploadPart", "GetObject")]
    equal(told, [("UploadPart", 1, None, PART, 0, 200), ("UploadPart", 2, None, 9, 0, 200),
                 ("GetObject", None, "bytes=5-9", 0, 5, 206)], "requests")
    equal(world.proxy.state()["operations"]["UploadPart"]["peak_in_flight"], 1, "peak")
    world.proxy.set(upstream="http://127.0.0.1:1")
    try:
        holds(world.put() in RESETS, "answered without an upstream")
    finally:
        world.proxy.set(upstream=world.rgw)
    equal(world.put(), "ok", "upstream back")


@check("https: the proxy with the certificate of the test authority")
def https(world):
    proxy = Proxy(world.rgw, "--tls", os.environ[PREFIX + "TLS_CERTIFICATE"], os.environ[PREFIX + "TLS_KEY"])
    try:
        holds(proxy.endpoint.startswith("https://localhost:"), proxy.endpoint)
        secure = client(proxy.endpoint, verify=os.environ[PREFIX + "RGW_CA"])
        equal(outcome(secure.put_object, Bucket=world.bucket, Key="tls", Body=bytes(3 << 20)), "ok", "put")
        equal(secure.get_object(Bucket=world.bucket, Key="tls")["Body"].read(), bytes(3 << 20), "get")
        proxy.rule("reset", response_bytes=1000)
        holds(outcome(lambda: secure.get_object(Bucket=world.bucket, Key="tls")["Body"].read()) != "ok", "not cut")
        holds(outcome(client(proxy.endpoint).list_buckets) == "SSLError", "an unknown authority was taken")
    finally:
        proxy.end()
