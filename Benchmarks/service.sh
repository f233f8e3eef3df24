#!/bin/bash
# The service under load: a catalog of 100,000 backups, the real `serve`, and wrk. Prints requests per second and
# percentiles; then 200 clients list and download for a while during backups, with errors and memory.
#   Benchmarks/service.sh [SECONDS]        (of the sustained run, 60 without it)
set -euo pipefail

seconds=${1:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/elder-backup
work=$(mktemp -d "${TMPDIR:-/tmp}/service-bench.XXXXXX")
server=
finish() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
    rm -rf "$work"
}
trap finish EXIT

command -v wrk > /dev/null || "$root/scripts/setup.sh" wrk
command -v wrk > /dev/null || { echo "service: install wrk with this system's package manager" >&2; exit 1; }
export BACKUP_DIR=$work/backups BACKUP_LISTEN=127.0.0.1:0 DATABASE_URL=sqlite:$work/app.sqlite
unset BACKUP_CATALOG_URL
sqlite3 "$work/app.sqlite" "
    CREATE TABLE events(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
    INSERT INTO events SELECT i, 'kind ' || (i % 7), hex(randomblob(60)) FROM n;"
"$program" job create load > /dev/null
"$program" job create past > /dev/null
"$program" job run load > /dev/null
token=$("$program" token create --name load --role admin 2> /dev/null)
# The archive of the first backup is real; the others have rows only, and are another job's, so that retention leaves them.
sqlite3 "$work/backups/catalog.sqlite" "
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO backups(job_id, filename, file_path, file_size, record_count, status, started_at, completed_at,
        duration_seconds, created_at, updated_at, sha256, local_state)
    SELECT 2, 'backup_2_' || i || '.json.gz', '/nowhere/backup_2_' || i || '.json.gz', i * 1000, i, 'completed',
        strftime('%Y-%m-%d %H:%M:%S.000000', 1500000000 + i * 600, 'unixepoch'),
        strftime('%Y-%m-%d %H:%M:%S.000000', 1500000030 + i * 600, 'unixepoch'), 30,
        strftime('%Y-%m-%d %H:%M:%S.000000', 1500000000 + i * 600, 'unixepoch'),
        strftime('%Y-%m-%d %H:%M:%S.000000', 1500000030 + i * 600, 'unixepoch'),
        lower(hex(randomblob(32))), 'missing' FROM n;"

"$program" serve > "$work/out" 2> "$work/log" &
server=$!
for _ in $(seq 100); do
    port=$(sed -n 's/.*listening on http:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$work/log" "$work/out" | tail -1)
    [ -n "$port" ] && break
    kill -0 "$server" 2> /dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
base=http://127.0.0.1:$port
# Of processor time, in milliseconds: unlike the clock it does not depend on what else the machine does.
spent() { awk '{ print ($14 + $15) * 10 }' "/proc/$server/stat"; }
memory() { awk '/VmRSS/ { printf "%d MiB", $2 / 1024 }' "/proc/$server/status"; }

backups=$(sqlite3 "$work/backups/catalog.sqlite" 'SELECT count(*) FROM backups')
# 10 connections are wrk's own default; with 50 both cores are busy and answers wait for each other. The bar: p99 10 ms.
for connections in 10 50; do
    echo "list, limit=10, of $backups backups, $connections connections:"
    start=$(spent)
    wrk -t2 -c$connections -d10 --latency -H "Authorization: Bearer $token" "$base/api/v1/backup?limit=10" > "$work/wrk"
    grep -E "Requests/sec|50%|99%|Non-2xx|Socket errors" "$work/wrk"
    requests=$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' "$work/wrk")
    echo "  processor time per request: $(( ($(spent) - start) * 1000 / requests )) us; memory: $(memory)"
done

echo "200 clients list and download for ${seconds} s, while backups run:"
cat > "$work/mixed.lua" << LUA
local count = 0
request = function()
    count = count + 1
    local path = "/api/v1/backup?limit=10"
    if count % 20 == 0 then path = "/api/v1/backup/1/download" end
    return wrk.format("GET", path, {["Authorization"] = "Bearer $token"})
end
LUA
(while curl -sf -o /dev/null -X POST -H "Authorization: Bearer $token" "$base/api/v1/backup/jobs/1/run"; do sleep 1; done) &
runner=$!
before=$(memory)
(sleep $((seconds / 2)); echo "  memory at half time: $(memory)") &
wrk -t2 -c200 -d"${seconds}" --timeout 30s --latency -s "$work/mixed.lua" "$base" |
    grep -E "Requests/sec|Transfer/sec|50%|99%|Non-2xx|Socket errors|requests in" || true
kill "$runner" 2> /dev/null || true
wait "$runner" 2> /dev/null || true
echo "  memory before: $before, after: $(memory)"
echo "  backups made meanwhile: $(sqlite3 "$work/backups/catalog.sqlite" "SELECT count(*) FROM backups WHERE id > 100001 AND status = 'completed'")"
