#!/bin/bash
# Measures elder-backup against the sqlite3 tool, side by side in one run, and prints ratios; see measure.py.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.build/bench
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
python3 Benchmarks/measure.py --tool .build/release/elder-backup --work "$work" "$@"
