#!/bin/bash
# The product at work: makes a sample database, backs it up, verifies, restores into a new file, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.build/release/elder-backup
directory=sample
source=$directory/tracker.sqlite
restored=$directory/restored.sqlite

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

cat <<EOF

Done. What was made:
  $source      the database ($(stat -c %s "$source") bytes)
  $archive
                              its backup ($(stat -c %s "$archive") bytes), with its manifest beside it
  $directory/backups/catalog.sqlite   the catalog
  $restored     the restored database
  $tool   the program; try: $tool --help
EOF
