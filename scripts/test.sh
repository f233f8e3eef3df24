#!/bin/bash
# Builds and runs all tests. Those that need servers get real ones: Tests/Servers installs what is missing, starts them
# on free ports and stops them. Where that is impossible their tests are skipped, and said so; with CI=true it fails.
#
# usage: scripts/test.sh [CONFIGURATION] [ARGUMENT OF "swift test" …]
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${1:-release}
shift || true
servers=Tests/Servers/servers.sh
started=

stop() {
    [ -z "$started" ] || "$servers" stop >/dev/null
}
trap stop EXIT

swift build -c "$configuration" --build-tests
if environment=$(RGW_LC_DEBUG=2 "$servers" start all); then
    started=yes
    eval "$environment"
elif [ "${CI:-}" = true ]; then
    echo "test: the test servers could not be started" >&2
    exit 1
else
    echo "test: without the test servers (see above) the tests that need them are skipped" >&2
fi
swift test -c "$configuration" --skip-build "$@"
