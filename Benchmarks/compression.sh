#!/bin/bash
# How small and how fast the rows of archives become, with each compressor that was considered: docs/compression.md.
#
#   Benchmarks/compression.sh ARCHIVE…
#
# Of a large archive every 16th part is taken. Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
swift build -c release --product compression-curve >&2
work=$(mktemp -d "${TMPDIR:-/tmp}/elder-backup-curve-XXXXXX")
trap 'rm -rf "$work"' EXIT
for archive in "$@"; do
    zcat "$archive" | python3 -c '
import sys
piece, every, kept = 512 * 1024, 16, 0
pieces = iter(lambda: sys.stdin.buffer.read(piece), b"")
large = len(sys.argv) > 1
for index, text in enumerate(pieces):
    if not large or index % every == 0: sys.stdout.buffer.write(text)
' $([ "$(stat -c %s "$archive")" -lt 67108864 ] || echo large) >"$work/text"
    echo
    echo "$(basename "$archive"): $(stat -c %s "$work/text") bytes of text"
    echo
    .build/release/compression-curve "$work/text"
done
