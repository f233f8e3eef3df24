"""What the three servers and their users are expected to do."""

import base64
import hashlib
import json
import os

from selftest_support import PART, PREFIX, check, client, equal, holds, outcome, Failed


@check("rgw over https, by its certificate's authority; storage classes, SSE-C and KMS keys are there")
def rgw(world):
    secure = client(os.environ[PREFIX + "RGW_TLS"], verify=os.environ[PREFIX + "RGW_CA"])
    for number, name in enumerate(os.environ[PREFIX + "RGW_STORAGE_CLASSES"].split(",")):
        secure.put_object(Bucket=world.bucket, Key=f"class-{number}", Body=b"x", StorageClass=name)
        equal(secure.head_object(Bucket=world.bucket, Key=f"class-{number}")["StorageClass"], name, "class")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    secure.put_object(Bucket=world.bucket, Key="own", Body=b"secret", **key)
    equal(secure.get_object(Bucket=world.bucket, Key="own", **key)["Body"].read(), b"secret", "SSE-C")
    holds(outcome(secure.get_object, Bucket=world.bucket, Key="own") != "ok", "read without the key")
    told = secure.put_object(Bucket=world.bucket, Key="kms", Body=b"secret", ServerSideEncryption="aws:kms",
                             SSEKMSKeyId=os.environ[PREFIX + "RGW_KMS_KEY_ID"])
    equal(told["ServerSideEncryption"], "aws:kms", "KMS")


@check("rgw: the plain user makes no bucket and sees what a policy grants")
def plain_user(world):
    plain = client(world.rgw, "PLAIN_")
    equal(outcome(plain.create_bucket, Bucket="plain-own"), "AccessDenied", "create")
    world.direct.put_object(Bucket=world.bucket, Key="granted", Body=b"x")
    equal(outcome(plain.get_object, Bucket=world.bucket, Key="granted"), "AccessDenied", "before")
    world.direct.put_bucket_policy(Bucket=world.bucket, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": [os.environ[PREFIX + "PLAIN_ARN"]]},
            "Action": ["s3:GetObject", "s3:PutObject"], "Resource": [f"arn:aws:s3:::{world.bucket}/*"]}]}))
    equal(outcome(plain.get_object, Bucket=world.bucket, Key="granted"), "ok", "after")
    for refused in (plain.list_objects_v2, plain.head_bucket):
        holds(outcome(refused, Bucket=world.bucket) in ("AccessDenied", "403"), "more than was granted")
    equal(outcome(plain.delete_object, Bucket=world.bucket, Key="granted"), "AccessDenied", "delete")
    world.direct.delete_bucket_policy(Bucket=world.bucket)


@check("rgw: the small user's bucket is full after its quota")
def small_user(world):
    small, bucket = client(world.rgw, "SMALL_"), world.bucket + "-small"
    small.create_bucket(Bucket=bucket)
    size = int(os.environ[PREFIX + "SMALL_QUOTA_BYTES"]) // 2
    told = [outcome(small.put_object, Bucket=bucket, Key=str(number), Body=bytes(size)) for number in range(4)]
    equal((told[0], told[-1]), ("ok", "QuotaExceeded"), "puts")


@check("rgw checks what it should: a wrong secret, a wrong digest, virtual hosts by name")
def rgw_checks(world):
    wrong = client(world.rgw)
    wrong._request_signer._credentials.secret_key = "wrong"
    equal(outcome(wrong.list_buckets), "SignatureDoesNotMatch", "secret")
    equal(outcome(world.direct.put_object, Bucket=world.bucket, Key="k", Body=b"x", 
                  ContentMD5=base64.b64encode(hashlib.md5(b"y").digest()).decode()), "BadDigest", "digest")
    hosted = client(world.rgw.replace("127.0.0.1", "localhost"), style="virtual")
    equal(outcome(hosted.put_object, Bucket=world.bucket, Key="hosted", Body=b"x"), "ok", "virtual host")


@check("rclone and moto: an object goes there and back, in one piece and in parts; rclone checks the secret")
def others(world):
    for name in ("RCLONE", "MOTO"):
        s3 = client(os.environ[PREFIX + name])
        s3.create_bucket(Bucket=world.bucket)
        s3.put_object(Bucket=world.bucket, Key="k", Body=b"x" * 1000)
        equal(s3.get_object(Bucket=world.bucket, Key="k")["Body"].read(), b"x" * 1000, name)
        upload = world.start_upload("parts", s3)
        parts = [world.part("parts", upload, number, bytes(PART), s3) for number in (1, 2)]
        world.complete("parts", upload, parts, s3)
        equal(s3.head_object(Bucket=world.bucket, Key="parts")["ContentLength"], 2 * PART, name)
    wrong = client(os.environ[PREFIX + "RCLONE"])
    wrong._request_signer._credentials.secret_key = "wrong"
    if outcome(wrong.list_buckets) == "ok":
        raise Failed("rclone takes a wrong secret")
