#!/bin/bash
# The product at work: makes a sample database, backs it up, verifies, restores into a new file, compares, and starts the
# service, which goes on in the background. LISTEN=HOST:PORT in place of 127.0.0.1:5000; "scripts/run.sh stop" ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.build/release/elder-backup
directory=sample
source=$directory/tracker.sqlite
restored=$directory/restored.sqlite

pid_file=$directory/service.pid
listen=${LISTEN:-127.0.0.1:5000}

# Ends the service of an earlier run, and nothing else that may have its number by now.
stop_service() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 0
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q 'elder-backup serve' || return 0
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
stop_service
[ "${1:-}" != stop ] || exit 0

# The sample must not depend on the settings of whoever runs it.
unset "${!BACKUP_@}" DATABASE_URL
export BACKUP_DIR=$directory/backups

step() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ elder-backup %s\n' "$*"
    "$tool" "$@"
}

rm -rf "$directory"
mkdir "$directory"

step "A sample database: an infrastructure tracker"
run demo "$directory"

step "Back it up"
run backup --source "sqlite:$source"

step "Verify the archive: every digest, every count"
run verify 1

step "Restore it into a new file, and read it back before the commit"
run restore 1 --into "sqlite:$restored" --prove

step "Compare the two databases"
scripts/compare-databases.sh "$source" "$restored"

archive=$(echo "$directory"/backups/backup_*.json.gz)
step "The archive is readable without elder-backup"
printf "\$ zcat %s | jq -c '.tables.organizations[0]'\n" "$archive"
zcat "$archive" | jq -c '.tables.organizations[0]'

step "The service: the HTTP API, and a job that runs every night"
run job create sample --source "sqlite:$PWD/$source" --schedule "H 2 * * *"
token=$("$tool" token create --name sample --role admin --json | jq -r .token)
DATABASE_URL=sqlite:$PWD/$source BACKUP_LISTEN=$listen nohup "$tool" serve </dev/null >"$directory/service.log" 2>&1 &
echo $! >"$pid_file"
until grep -q listening "$directory/service.log"; do
    kill -0 "$(cat "$pid_file")" 2>/dev/null || {
        tail -n 3 "$directory/service.log" >&2
        echo "run: the service could not start; where its port is taken: make run LISTEN=127.0.0.1:5001" >&2
        exit 1
    }
    sleep 0.1
done
printf '$ curl -H "Authorization: Bearer $TOKEN" http://%s/api/v1/backup?limit=1\n' "$listen"
curl -fsS -H "Authorization: Bearer $token" "http://$listen/api/v1/backup?limit=1" |
    jq -c '.backups[] | {id, filename, record_count, status}'

cat <<EOF

Done. What was made:
  $source      the database ($(stat -c %s "$source") bytes)
  $archive
                              its backup ($(stat -c %s "$archive") bytes), with its manifest beside it
  $directory/backups/catalog.sqlite   the catalog
  $restored     the restored database
  $tool   the program; try: $tool --help

The service listens on http://$listen (its log: $directory/service.log). Try:
  export TOKEN=$token
  curl -H "Authorization: Bearer \$TOKEN" http://$listen/api/v1/backup/jobs
It goes on until: scripts/run.sh stop
EOF
