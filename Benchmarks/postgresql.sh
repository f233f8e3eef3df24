#!/bin/bash
# Backup and restore of a PostgreSQL database beside pg_dump and pg_restore, in one run on one machine.
#
#   Benchmarks/postgresql.sh [SCALE]     SCALE 1 (default): 4.3 million rows in the shape of TPC-H
#
# Starts a server of its own by Tests/Servers/postgresql.sh and leaves it as it found it; REPEAT (default 3) runs of each,
# of which the fastest counts. Prints wall seconds, CPU seconds of the client, peak memory, bytes, and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=${1:-1} repeat=${REPEAT:-3}
program=$PWD/.build/release/elder-backup
[ -x "$program" ] || { echo "bench: build first: make build" >&2; exit 1; }
[ -n "${ELDER_BACKUP_TEST_POSTGRESQL_URL:-}" ] || {
    eval "$(Tests/Servers/postgresql.sh start)"
    trap 'Tests/Servers/postgresql.sh stop; rm -rf "$work"' EXIT
}
server=${ELDER_BACKUP_TEST_POSTGRESQL_URL%/*} tools=$ELDER_BACKUP_TEST_POSTGRESQL_TOOLS
work=$(mktemp -d "${TMPDIR:-/tmp}/elder-backup-bench-XXXXXX")
[ -n "$(trap -p EXIT)" ] || trap 'rm -rf "$work"' EXIT
source=$server/tpch_${scale/./_} target=$server/tpch_restored

sql() { "$tools/psql" -qXAt -v ON_ERROR_STOP=1 "$@"; }

if [ "$(sql -d "$server/postgres" -c "SELECT 1 FROM pg_database WHERE datname = '${source##*/}'")" != 1 ]; then
    echo "bench: making ${source##*/}" >&2
    sql -d "$server/postgres" -c "CREATE DATABASE ${source##*/}"
    sql -d "$source" -v scale="$scale" -f Benchmarks/tpch.sql
fi

# measure NAME BEFORE COMMAND…: the fastest of the runs; BEFORE is done in front of each, uncounted.
declare -A wall
measure() {
    local name=$1 before=$2 run best='' line
    shift 2
    for run in $(seq "$repeat"); do
        eval "$before"
        line=$(python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.monotonic() - start
if status.returncode:
    sys.exit(status.stderr.decode())
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{wall:.2f} {usage.ru_utime + usage.ru_stime:.2f} {usage.ru_maxrss // 1024}")
PYTHON
        )
        if [ -z "$best" ] || [ "$(python3 -c "print(${line%% *} < ${best%% *})")" = True ]; then best=$line; fi
    done
    read -r seconds cpu memory <<<"$best"
    wall[$name]=$seconds
    size=$(du -sb "$work/$name" 2>/dev/null | cut -f 1 || true)
    printf '%-28s %7s s wall %7s s CPU %5s MiB %12s bytes\n' "$name" "$seconds" "$cpu" "$memory" "${size:--}"
}
ratio() {
    python3 -c "print(f'$1 / $2: {${wall[$1]} / ${wall[$2]}:.2f} (bar $3)')"
}

export BACKUP_DIR=$work/fast
"$tools/postgres" --version
"$program" --version
rows=$(sql -d "$source" -c "SELECT sum(reltuples)::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
echo "$rows rows, $(sql -d "$source" -c "SELECT pg_size_pretty(pg_database_size(current_database()))")"

tables=$(sql -d "$source" -c "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1")
for half in 0 1; do
    for table in $tables; do
        middle=$(sql -d "$source" -c "SELECT pg_relation_size('$table') / 8192 / 2")
        if [ $half = 0 ]; then where="ctid < '($middle,0)'"; else where="ctid >= '($middle,0)'"; fi
        echo "COPY (SELECT * FROM $table WHERE $where) TO STDOUT;"
    done >"$work/half$half.sql"
done
cat >"$work/floor.sh" <<EOF
"$tools/psql" -qX -d "$source" -f "$work/half0.sql" >/dev/null & "$tools/psql" -qX -d "$source" -f "$work/half1.sql" >/dev/null; wait
EOF

measure floor : bash "$work/floor.sh"
measure custom : "$tools/pg_dump" -Fc -d "$source" -f "$work/custom"
measure directory 'rm -rf "$work/directory"' "$tools/pg_dump" -Fd -j2 -Z1 -d "$source" -f "$work/directory"
measure fast 'rm -rf "$work/fast"' "$program" backup --source "$source" --json
export BACKUP_DIR=$work/balanced BACKUP_COMPRESSION=balanced
measure balanced 'rm -rf "$work/balanced"' "$program" backup --source "$source" --json
export BACKUP_DIR=$work/fast BACKUP_COMPRESSION=fast
archive=$(ls "$work"/fast/backup_*.json.gz)
fresh='sql -d "$server/postgres" -c "DROP DATABASE IF EXISTS ${target##*/}" -c "CREATE DATABASE ${target##*/}" 2>/dev/null'
measure pg_restore "$fresh" "$tools/pg_restore" -j2 -d "$target" "$work/directory"
measure restore "$fresh" "$program" restore "$archive" --into "$target" --json
measure restore-jobs-2 "$fresh" "$program" restore "$archive" --into "$target" --jobs 2 --json
measure restore-prove "$fresh" "$program" restore "$archive" --into "$target" --prove --json
sql -d "$server/postgres" -c "DROP DATABASE ${target##*/}"
ratio fast custom 0.22
ratio fast directory 1.0
ratio balanced directory 2.0
ratio restore-jobs-2 pg_restore 1.0
ratio restore pg_restore 'none: one connection, two there'
