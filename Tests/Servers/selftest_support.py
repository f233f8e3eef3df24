"""What the checks of selftest.py share: the proxy as a process, clients, expectations."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
import pathlib

import boto3
import botocore.exceptions
import botocore.utils
from botocore.config import Config

PREFIX = "ELDER_BACKUP_TEST_S3_"
HERE = pathlib.Path(__file__).parent
PART = 5 << 20
CHECKS = []


def check(sentence):
    def remember(function):
        CHECKS.append((sentence, function))
        return function

    return remember


class Failed(Exception):
    pass


def equal(actual, expected, what=""):
    if actual != expected:
        raise Failed(f"{what}: {actual!r} instead of {expected!r}")


def holds(condition, what):
    if not condition:
        raise Failed(what)


def client(endpoint, user="", style="path", region="us-east-1", timeout=15, checksums="when_required", through=None,
           **more):
    # It would follow a wrong region by itself, and the check would not see the refusal.
    botocore.utils.S3RegionRedirectorv2.redirect_from_error = lambda *_, **__: None
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=region,
        aws_access_key_id=os.environ[f"{PREFIX}{user}ACCESS_KEY"],
        aws_secret_access_key=os.environ[f"{PREFIX}{user}SECRET_KEY"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": style}, read_timeout=timeout,
                      signature_version="s3v4", proxies=through and {"http": through, "https": through}, request_checksum_calculation=checksums,
                      response_checksum_validation="when_required"), **more)


def outcome(function, *arguments, **named):
    """"ok", the code of S3's error, or the kind of the transport's error."""
    try:
        function(*arguments, **named)
        return "ok"
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError, OSError) as error:
        return type(error).__name__


class Proxy:
    """A proxy as its own process, and its control."""

    def __init__(self, upstream, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "proxy.py"), "--upstream", upstream, "--until-eof", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the proxy does not start")
        said = json.loads(line)
        self.endpoint, self.port, self.address = said["endpoint"], said["port"], said["control"]

    def set(self, **wish):
        request = urllib.request.Request(self.address, json.dumps(wish).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def rule(self, do, match=None, **action):
        return self.set(reset=True, rules=[{"match": match or {}, "action": {"do": do, **action}}])

    def state(self):
        with urllib.request.urlopen(self.address) as answer:
            return json.load(answer)

    def requests(self):
        with urllib.request.urlopen(self.address + "/requests") as answer:
            return json.load(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


class World:
    """What a check is given: the servers' addresses, a proxy before Ceph, a client through it, and one around it."""

    def __init__(self):
        self.rgw = os.environ[PREFIX + "RGW"]
        self.proxy = Proxy(self.rgw)
        self.direct = client(self.rgw)
        self.s3 = client(self.proxy.endpoint)
        self.bucket = f"selftest-{os.getpid()}"
        self.direct.create_bucket(Bucket=self.bucket)
        self.made = 0

    def key(self):
        self.made += 1
        return f"object-{self.made}"

    def put(self, body=b"hello", **more):
        return outcome(self.s3.put_object, Bucket=self.bucket, Key=more.pop("key", "k"), Body=body, **more)

    def get(self, key="k", **more):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read()

    def stored(self, key="k"):
        """What the server really has: None where it has nothing."""
        if outcome(self.direct.head_object, Bucket=self.bucket, Key=key) != "ok":
            return None
        return self.direct.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def start_upload(self, key, s3=None, **more):
        s3 = s3 or self.s3
        return s3.create_multipart_upload(Bucket=self.bucket, Key=key, **more)["UploadId"]

    def part(self, key, upload, number, body, s3=None, **more):
        answer = (s3 or self.s3).upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body,
                                             **more)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def complete(self, key, upload, parts, s3=None, **more):
        return (s3 or self.s3).complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more)


def md5(data):
    return '"' + hashlib.md5(data).hexdigest() + '"'


def run_checks(pattern):
    world = World()
    failures = 0
    chosen = [(sentence, function) for sentence, function in CHECKS if re.search(pattern, sentence)]
    try:
        for sentence, function in chosen:
            world.proxy.set(reset=True)
            begun = time.monotonic()
            try:
                function(world)
                verdict, reason = "passed", ""
            except Failed as error:
                verdict, reason = "FAILED", f": {error}"
            except Exception:  # noqa: BLE001: one broken check must not hide the others
                verdict, reason = "FAILED", ":\n" + traceback.format_exc()
            failures += verdict == "FAILED"
            print(f"{verdict}  {sentence} ({time.monotonic() - begun:.2f} s){reason}", flush=True)
    finally:
        world.proxy.end()
    print(f"{len(chosen) - failures} passed, {failures} failed")
    return 1 if failures or not chosen else 0
