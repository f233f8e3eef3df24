"""Measures elder-backup against the sqlite3 tool.

Both work on the same database in one run, by turns, because absolute times drift with the machine and prove nothing;
the median of each is compared. Peak memory is what wait4(2) says of the process itself.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

MEMORY_BAR = 64.0  # MiB


def run(command, **streams):
    """Runs a command to its end: wall time in seconds, peak memory in MiB, standard output if piped."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **streams)
    words = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} ended with {process.returncode}: {words.decode(errors='replace').strip()}")
    return elapsed, usage.ru_maxrss / 1024


def shell(script):
    return run(["bash", "-o", "pipefail", "-c", script])


def version(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


class Bench:
    def __init__(self, tool, work, rows, rounds):
        self.tool = str(pathlib.Path(tool).resolve())
        self.work = work
        self.rows = rows
        self.rounds = rounds
        self.source = work / f"entities-{rows}.sqlite"
        self.backups = work / "backups"
        self.walls = {}
        self.peaks = {}

    def prepare(self):
        print(f"\n{self.rows:,} rows: making the database …", flush=True)
        script = pathlib.Path(__file__).with_name("entities.sql").read_text()
        script = script.replace(":rows", str(self.rows))
        subprocess.run(["sqlite3", str(self.source)], input=script, text=True, check=True, stdout=subprocess.DEVNULL)
        # The file is read once, so that neither side has to fetch it from the disk.
        # In small pieces: a child's peak memory as the kernel tells it is never below its parent's.
        with open(self.source, "rb", buffering=0) as file:
            while file.read(1 << 16):
                pass
        size = self.source.stat().st_size / (1 << 20)
        print(f"{self.rows:,} rows, {size:,.0f} MiB, {self.rounds} rounds", flush=True)

    def note(self, name, measured):
        wall, peak = measured
        self.walls.setdefault(name, []).append(wall)
        self.peaks[name] = max(peak, self.peaks.get(name, 0))

    def fresh(self, path):
        for suffix in ("", "-wal", "-shm", "-journal"):
            pathlib.Path(str(path) + suffix).unlink(missing_ok=True)
        return path

    def ours(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BACKUP_") and k != "DATABASE_URL"}
        environment["BACKUP_DIR"] = str(self.backups)
        return run([self.tool, *arguments], env=environment, stdout=subprocess.DEVNULL)

    def round(self):
        dump = self.work / "dump.sql"
        packed = self.work / "dump.sql.gz"
        target = self.work / "restored.sqlite"
        self.note("sqlite3 .dump | gzip -1", shell(f"sqlite3 '{self.source}' .dump | gzip -1 > '{packed}'"))
        self.packed = packed.stat().st_size
        packed.unlink()

        shutil.rmtree(self.backups, ignore_errors=True)
        self.note("backup", self.ours("backup", "--source", f"sqlite:{self.source}"))
        archive = next(self.backups.glob("backup_*.json.gz"))
        self.size = archive.stat().st_size

        if not dump.exists():
            shell(f"sqlite3 '{self.source}' .dump > '{dump}'")
        self.fresh(target)
        self.note("sqlite3 new < dump.sql", shell(f"sqlite3 '{target}' < '{dump}'"))
        self.fresh(target)
        self.note("restore", self.ours("restore", str(archive), "--into", f"sqlite:{target}"))
        self.fresh(target)
        self.note("restore --prove", self.ours("restore", str(archive), "--into", f"sqlite:{target}", "--prove"))
        self.note("verify", self.ours("verify", str(archive)))
        self.fresh(target)

    def finish(self):
        (self.work / "dump.sql").unlink(missing_ok=True)
        self.fresh(self.source)
        shutil.rmtree(self.backups, ignore_errors=True)

    def report(self):
        print(f"\n{'work':18} {'ours':>9}   {'against':26} {'theirs':>9} {'ratio':>6} {'bar':>6}")
        pairs = [
            ("backup", "sqlite3 .dump | gzip -1", 0.6),
            ("restore", "sqlite3 new < dump.sql", 0.4),
            ("restore --prove", "sqlite3 new < dump.sql", 0.6),
        ]
        for ours, theirs, bar in pairs:
            mine, other = statistics.median(self.walls[ours]), statistics.median(self.walls[theirs])
            ratio = mine / other
            verdict = "pass" if ratio <= bar else "MISS"
            print(f"{ours:18} {mine:7.2f} s   {theirs:26} {other:7.2f} s {ratio:6.2f} {bar:6.2f}  {verdict}")
        for name in ("backup", "restore", "restore --prove", "verify"):
            peak = self.peaks[name]
            verdict = "pass" if peak <= MEMORY_BAR else "MISS"
            print(f"{name:18} {peak:5.1f} MiB   peak memory {'':33} {MEMORY_BAR:4.0f} MiB  {verdict}")
        print(f"verify takes {statistics.median(self.walls['verify']):.2f} s (no bar)")
        print(f"archive {self.size / (1 << 20):,.1f} MiB, dump.sql.gz {self.packed / (1 << 20):,.1f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument(
        "--rows", default="500000:5,5000000:3", help="sizes and rounds, as ROWS:ROUNDS separated by commas")
    options = parser.parse_args()
    sizes = []
    for part in options.rows.split(","):
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", part):
            parser.error(f"--rows: {part!r} is not ROWS:ROUNDS")
        sizes.append(tuple(int(number) for number in part.split(":")))

    print("sqlite3  " + version(["sqlite3", "--version"]))
    print("gzip     " + version(["gzip", "--version"]))
    print("ours     " + version([options.tool, "--version"]) + f", {os.cpu_count()} cores")
    benches = []
    for rows, rounds in sizes:
        bench = Bench(options.tool, options.work, rows, rounds)
        bench.prepare()
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            bench.round()
        bench.finish()
        bench.report()
        benches.append(bench)
    if len(benches) > 1:
        first, last = benches[0], benches[-1]
        for name in ("backup", "restore", "restore --prove", "verify"):
            print(f"peak memory of {name}: {first.peaks[name]:.1f} MiB at {first.rows:,} rows, "
                  f"{last.peaks[name]:.1f} MiB at {last.rows:,}")


if __name__ == "__main__":
    main()
