#!/bin/bash
# Compares two SQLite databases: first the text of `.dump`, then the files that VACUUM INTO makes of both, byte for
# byte but for the header's change counter (24-27), schema cookie (40-43) and version-valid-for (92-99).
# The second sees what the first does not: rowids, NUL characters, user_version, page size.
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: compare-databases.sh FIRST SECOND" >&2
    exit 64
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for index in 1 2; do
    sqlite3 -readonly "${!index}" .dump >"$work/$index.sql"
    sqlite3 "${!index}" "VACUUM INTO '$work/$index.sqlite'"
done

if ! cmp -s "$work/1.sql" "$work/2.sql"; then
    echo "DIFFERENT: .dump of $1 and of $2" >&2
    diff "$work/1.sql" "$work/2.sql" | head -n 10 | cut -c 1-200 >&2
    exit 1
fi
echo "equal: .dump of both ($(wc -l <"$work/1.sql") lines)"

# cmp counts from 1. It exits 1 where files differ at all; what it prints decides.
differences=$( (cmp -l "$work/1.sqlite" "$work/2.sqlite" || true) 2>&1 | awk '
    $1 !~ /^[0-9]+$/ { print; next }
    { byte = $1 - 1 }
    !((byte >= 24 && byte <= 27) || (byte >= 40 && byte <= 43) || (byte >= 92 && byte <= 99)) { print "byte", byte }')
if [ -n "$differences" ]; then
    echo "DIFFERENT: VACUUM INTO of $1 and of $2" >&2
    head -n 10 <<<"$differences" >&2
    exit 1
fi
echo "equal: VACUUM INTO of both ($(stat -c %s "$work/1.sqlite") bytes), but for the header's counters"
