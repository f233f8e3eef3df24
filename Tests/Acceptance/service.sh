#!/bin/bash
# The service as others use it: a client written for Elder, and schemathesis over what /openapi.json says.
#
# usage: Tests/Acceptance/service.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-.build/release/elder-backup}")
venv=$PWD/.build/servers/acceptance
examples=${ACCEPTANCE_EXAMPLES:-25}

fail() {
    echo "acceptance: $*" >&2
    exit 1
}

if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv" &&
        "$venv/bin/pip" install -q --disable-pip-version-check requests==2.34.2 schemathesis==4.32.5 || {
        rm -rf "$venv"
        [ "${CI:-}" != true ] || fail "pip could not install requests and schemathesis into $venv"
        echo "acceptance: skipped: pip could not install requests and schemathesis into $venv" >&2
        exit 0
    }
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/elder-backup-acceptance-XXXXXX")
service=
stop() {
    [ -z "$service" ] || { kill "$service" 2>/dev/null && wait "$service"; } || true
    rm -rf "$work"
}
trap stop EXIT

unset "${!BACKUP_@}"
"$program" demo "$work" >/dev/null 2>&1
export BACKUP_DIR=$work/backups DATABASE_URL=sqlite:$work/tracker.sqlite BACKUP_LISTEN=127.0.0.1:0
export BACKUP_RATE_LIMIT=0
cd "$work"
"$program" serve 2>"$work/log" &
service=$!
for _ in $(seq 100); do
    port=$(grep -aoE '127\.0\.0\.1:[0-9]+' "$work/log" | head -n 1 | cut -d : -f 2 || true)
    [ -z "$port" ] || break
    kill -0 "$service" 2>/dev/null || fail "the service ended: $(tail -n 3 "$work/log")"
    sleep 0.1
done
[ -n "$port" ] || fail "the service does not listen: $(tail -n 3 "$work/log")"
base=http://127.0.0.1:$port
token=$("$program" token create --name acceptance --role admin --json | jq -r .token)

"$venv/bin/python" "$OLDPWD/Tests/Acceptance/elder_client.py" "$base" "$token"

# A backup and a job to find, beside those that schemathesis makes.
"$program" backup >/dev/null 2>&1
"$venv/bin/schemathesis" run "$base/openapi.json" --header "Authorization: Bearer $token" \
    --max-examples "$examples" --seed 42 --phases examples,coverage,fuzzing --suppress-health-check all \
    >"$work/schemathesis" 2>&1 || {
    tail -n 150 "$work/schemathesis"
    fail "schemathesis found failures; the service's log: $(grep -a 'an internal error\|a request failed' "$work/log" | tail -n 5)"
}
grep -aE 'Test cases:|passed|Operations:|No issues' "$work/schemathesis" || tail -n 20 "$work/schemathesis"

# Without a token only what says that the service lives answers.
curl -fsS "$base/openapi.json" -H "Authorization: Bearer $token" |
    jq -r '.paths | to_entries[] | .key as $path | .value | keys[] | "\(.) \($path)"' |
    while read -r method path; do
        case $path in /health | /ready) continue ;; esac
        status=$(curl -s -o /dev/null -w '%{http_code}' -X "${method^^}" $([ "$method" = head ] && echo -I) \
            "$base${path//\{*\}/1}")
        [ "$status" = 401 ] || fail "$method $path without a token: $status in place of 401"
    done
echo "acceptance: without a token every route but health answers 401"
