"""Measures uploads and downloads of one file by elder-backup's S3 client and by aws-cli, s5cmd and rclone.

All work on the same servers by turns in one run, because absolute times drift with the machine and prove nothing; the
median of each is compared with the best peer's, for wall time and for CPU time (user and system, the client's alone).
Peak memory is the largest of all rounds, and never told below this script's own (20 MiB). Each upload is read back and compared by SHA-256, each download too.
Peers run with their own defaults, but without the checksums that servers other than AWS do not know.
Bars: wall and CPU at most the best peer's, memory at most 96 MiB. Exits 1 where one is missed.
"""

import argparse
import hashlib
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

PREFIX = "ELDER_BACKUP_TEST_S3_"
BARS = {"wall": 1.0, "cpu": 1.0, "memory": 96.0}  # ratio, ratio, MiB
PIECE = 1 << 16  # bytes; small, because a child's peak memory is never told below its parent's

# Run by the servers' Python, which has botocore: the digest of an object, read by none of the clients that are measured.
READ_BACK = """
import hashlib, sys, botocore.session, botocore.config
endpoint, ca, bucket, key = sys.argv[1:]
client = botocore.session.get_session().create_client("s3", endpoint_url=endpoint, verify=ca or None,
    config=botocore.config.Config(s3={"addressing_style": "path"}, response_checksum_validation="when_required"))
if not key:
    client.create_bucket(Bucket=bucket)
elif key.startswith("-"):
    client.delete_object(Bucket=bucket, Key=key[1:])
else:
    digest, body = hashlib.sha256(), client.get_object(Bucket=bucket, Key=key)["Body"]
    while piece := body.read(1 << 20):
        digest.update(piece)
    print(digest.hexdigest())
"""


def size_of(text):
    match = re.fullmatch(r"([1-9]\d*)([KMG]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 256M or 1G")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def run(command, environment):
    """Runs a client to its end: wall time and CPU time in seconds, peak memory in MiB."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=environment)
    words = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"s3: {' '.join(command)} ended with {process.returncode}: {words.decode(errors='replace').strip()}")
    return elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Place:
    """One server over one scheme."""

    def __init__(self, server, scheme):
        self.name = f"{server}, {scheme}"
        variable = server.upper() + ("_TLS" if scheme == "https" else "")
        self.endpoint = os.environ[PREFIX + variable]
        self.ca = os.environ[PREFIX + "RGW_CA"] if scheme == "https" else ""
        self.is_ceph = server == "rgw"
        self.bucket = "bench-" + scheme


class Tool:
    """How one client is called."""

    def __init__(self, name, version, upload, download):
        self.name = name
        self.version = version
        self.commands = {"upload": upload, "download": download}


def tools(options):
    peers = options.peers

    def version(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    def aws(place):
        return [f"{peers}/aws", "s3", "cp", "--endpoint-url", place.endpoint, "--no-progress", "--quiet"]

    def s5cmd(place):
        return [f"{peers}/s5cmd-program", "--endpoint-url", place.endpoint, "--log", "error", "cp"]

    def rclone(place):
        return [f"{peers}/rclone", "copyto", *(["--ca-cert", place.ca] if place.ca else [])]

    def ours(place, verb):
        certificate = ["--ca", place.ca] if place.ca else []
        return [options.ours, verb, "--endpoint", place.endpoint, *certificate, "--bucket", place.bucket]

    def url(place, key):
        return f"s3://{place.bucket}/{key}"

    found = [
        Tool("aws", version(f"{peers}/aws", "--version").split()[0],
             lambda place, key, file: [*aws(place), file, url(place, key)],
             lambda place, key, file: [*aws(place), url(place, key), file]),
        Tool("s5cmd", "s5cmd/" + version(f"{peers}/s5cmd-program", "version"),
             lambda place, key, file: [*s5cmd(place), file, url(place, key)],
             lambda place, key, file: [*s5cmd(place), url(place, key), file]),
        Tool("rclone", version(f"{peers}/rclone", "version").replace(" ", "/"),
             lambda place, key, file: [*rclone(place), file, f"bench:{place.bucket}/{key}"],
             lambda place, key, file: [*rclone(place), f"bench:{place.bucket}/{key}", file]),
    ]
    if "ours" in options.tools:
        found.insert(0, Tool("ours", "s3-transfer",
                     lambda place, key, file: [*ours(place, "upload"), "--key", key, file],
                     lambda place, key, file: [*ours(place, "download"), "--key", key, file]))
    return [tool for tool in found if tool.name in options.tools]


def environment_for(place):
    """Nothing of whoever runs this: no settings, no keys, no proxies."""
    return {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": os.environ[PREFIX + "ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": os.environ[PREFIX + "SECRET_KEY"],
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required", "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        **({"AWS_CA_BUNDLE": place.ca, "SSL_CERT_FILE": place.ca} if place.ca else {}),
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_BENCH_TYPE": "s3", "RCLONE_CONFIG_BENCH_ENV_AUTH": "true",
        "RCLONE_CONFIG_BENCH_PROVIDER": "Ceph" if place.is_ceph else "Rclone",
        "RCLONE_CONFIG_BENCH_ENDPOINT": place.endpoint, "RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET": "true",
    }


class Bench:
    def __init__(self, options, place):
        self.options = options
        self.place = place
        self.environment = environment_for(place)
        self.measured = {}  # (work, tool): [(wall, cpu, memory)]

    def ask(self, key=""):
        command = [self.options.reader, "-c", READ_BACK, self.place.endpoint, self.place.ca,
                   self.place.bucket, key]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"s3: {self.place.name}: {done.stderr.strip().splitlines()[-1]}")
        return done.stdout.strip()

    def collect_garbage(self):
        """Ceph frees what was deleted now, and not while the next client is measured."""
        if self.place.is_ceph:
            command = ["radosgw-admin", "-c", os.environ[PREFIX + "RGW_CONFIGURATION"], "-n", "client.rgw", "gc",
                       "process", "--include-all"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def transfer(self, tool, source, digest):
        key, copy = f"{tool.name}.bin", str(self.options.work / "copy.bin")
        told = run(tool.commands["upload"](self.place, key, str(source)), self.environment)
        self.measured.setdefault(("upload", tool.name), []).append(told)
        if self.ask(key) != digest:
            sys.exit(f"s3: {self.place.name}: what {tool.name} uploaded differs from the file")
        told = run(tool.commands["download"](self.place, key, copy), self.environment)
        self.measured.setdefault(("download", tool.name), []).append(told)
        if digest_of(copy) != digest:
            sys.exit(f"s3: {self.place.name}: what {tool.name} downloaded differs from the file")
        os.unlink(copy)
        self.ask("-" + key)
        self.collect_garbage()

    def report(self, known):
        """Prints the table; the number of bars missed."""
        missed = 0
        for work in ("upload", "download"):
            print(f"\n{self.place.name}: {work}")
            print(f"  {'client':24} {'wall':>8} {'MiB/s':>7} {'CPU':>8} {'memory':>10}")
            figures = {}
            for tool in known:
                rows = self.measured[work, tool.name]
                wall, cpu = (statistics.median(row[index] for row in rows) for index in (0, 1))
                figures[tool.name] = wall, cpu, max(row[2] for row in rows)
                speed = self.options.size / (1 << 20) / wall
                memory = figures[tool.name][2]
                print(f"  {tool.version[:24]:24} {wall:6.2f} s {speed:7.0f} {cpu:6.2f} s {memory:6.1f} MiB")
            peers = [figure for name, figure in figures.items() if name != "ours"]
            if "ours" in figures and peers:
                missed += self.judge(figures["ours"], peers)
        return missed

    @staticmethod
    def judge(ours, peers):
        missed = 0
        for index, name in ((0, "wall"), (1, "cpu")):
            ratio = ours[index] / min(peer[index] for peer in peers)
            missed += ratio > BARS[name]
            verdict = "pass" if ratio <= BARS[name] else "MISS"
            print(f"  {name:6} {ratio:6.2f} x the best peer, bar {BARS[name]:.2f}   {verdict}")
        missed += ours[2] > BARS["memory"]
        verdict = "pass" if ours[2] <= BARS["memory"] else "MISS"
        print(f"  memory {ours[2]:6.1f} MiB, bar {BARS['memory']:.0f} MiB          {verdict}", flush=True)
        return missed


def listed(*allowed):
    def parse(text):
        names = text.split(",")
        if not set(names) <= set(allowed):
            raise argparse.ArgumentTypeError(f"{text!r}: of {', '.join(allowed)} only")
        return names

    return parse


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="folder of the peers' executables (s3.sh says it)")
    parser.add_argument("--reader", help="a Python with botocore (s3.sh says it)")
    parser.add_argument("--ours", help="our executable (s3.sh says it)")
    parser.add_argument("--work", type=pathlib.Path, help="folder for the files (s3.sh says it)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=size_of, default=1 << 30, help="of the file: 1G, 256M, …")
    parser.add_argument("--servers", type=listed("rgw", "rclone"), default=["rgw", "rclone"])
    parser.add_argument("--schemes", type=listed("http", "https"), default=["http", "https"])
    parser.add_argument("--tools", type=listed("ours", "aws", "s5cmd", "rclone"),
                        default=["ours", "aws", "s5cmd", "rclone"])
    options = parser.parse_args()
    if "ours" in options.tools and not os.access(options.ours, os.X_OK):
        parser.error(f"{options.ours} is missing: swift build -c release --product s3-transfer, or leave `ours` out "
                     "of --tools")
    return options


def main():
    options = parse_options()
    source = options.work / "source.bin"
    with open(source, "wb", buffering=0) as file:
        for start in range(0, options.size, PIECE):
            file.write(os.urandom(min(PIECE, options.size - start)))
    # Read once, so that no client has to fetch it from the disk.
    digest = digest_of(source)
    known = tools(options)
    print(f"{options.size >> 20:,} MiB of random bytes, {options.rounds} rounds, {os.cpu_count()} cores, "
          "client and server on the same machine")
    missed = 0
    for server in options.servers:
        for scheme in options.schemes:
            bench = Bench(options, Place(server, scheme))
            bench.ask()
            for number in range(options.rounds):
                print(f"{bench.place.name}: round {number + 1} of {options.rounds}", flush=True)
                # Each goes first once: the first after a pause finds the server at rest.
                shift = number % len(known)
                for tool in known[shift:] + known[:shift]:
                    bench.transfer(tool, source, digest)
            missed += bench.report(known)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
