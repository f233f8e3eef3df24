#!/bin/bash
# Builds and runs all tests. Those that need servers get real ones: Tests/Servers installs what is missing, starts them
# on free ports and stops them. Where that is impossible their tests are skipped, and said so; with CI=true it fails.
#
# usage: scripts/test.sh [CONFIGURATION] [ARGUMENT OF "swift test" …]
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${1:-release}
shift || true
started=()

stop() {
    local servers
    for servers in "${started[@]}"; do "$servers" stop >/dev/null || true; done
}
trap stop EXIT

# Starts servers and takes over what they export.
start() {
    local servers=$1 environment
    shift
    if "$servers" start "$@" >/dev/null && environment=$("$servers" environment); then
        started+=("$servers")
        eval "$environment"
    elif [ "${CI:-}" = true ]; then
        echo "test: $servers could not start its servers" >&2
        exit 1
    else
        echo "test: without the servers of $servers (see above) the tests that need them are skipped" >&2
    fi
}

swift build -c "$configuration" --build-tests
export RGW_LC_DEBUG=2
start Tests/Servers/servers.sh all
start Tests/Servers/postgresql.sh

# One kind after the other: all at once, the servers and what waits for them by the clock would starve each other.
run() { swift test -c "$configuration" --skip-build "$@"; }
if [ $# -gt 0 ]; then
    run "$@"
else
    run --skip '^(BackupServiceTests|S3ClientTests|S3IntegrationTests|IntegrationTests|PostgreSQLTests)\.'
    run --filter '^BackupServiceTests\.'
    run --filter '^S3ClientTests\.'
    run --filter '^S3IntegrationTests\.'
    run --filter '^IntegrationTests\.'
    run --filter '^PostgreSQLTests\.' --skip '^PostgreSQLTests\.StandbyTests'
    # A standby does all that its primary does: what the others' tests do would keep it busy.
    run --filter '^PostgreSQLTests\.StandbyTests'
    Tests/Acceptance/service.sh .build/"$configuration"/elder-backup
fi
