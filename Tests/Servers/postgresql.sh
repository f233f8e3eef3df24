#!/bin/bash
# A real PostgreSQL server on loopback for the integration tests: installed where it is missing, on a free port, with
# its data in a private directory; nothing of a server that runs already is touched.
#
#   postgresql.sh start         starts it where it does not run yet and prints the environment
#   postgresql.sh stop          ends what it started, and removes its data
#   postgresql.sh standby       starts a standby of it, which waits for nobody's query, and prints its environment
#   postgresql.sh no-standby    ends that, and removes its data
#   postgresql.sh environment   prints `export NAME=VALUE` lines: eval "$(postgresql.sh environment)"
#   postgresql.sh status        says whether it runs; exits 1 where it was started and does not answer
#
# Environment:
#   ELDER_BACKUP_POSTGRESQL_DIR  where an instance lives (default: a directory of this user's below /tmp that the path
#                                of the repository names: the server's own user must be able to reach it)
#
# The superuser is "admin"; it and every role that a test makes log in by password (scram-sha-256).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
directory=${ELDER_BACKUP_POSTGRESQL_DIR:-/tmp/elder-backup-postgresql-$(id -u)-$(cksum <<<"$root" | cut -d ' ' -f 1)}
case $directory in /*) ;; *) directory=$PWD/$directory ;; esac
user=admin password='s3cret/p@ss:word'
# The same, as it stands in an address.
escaped=s3cret%2Fp%40ss%3Aword

fail() {
    echo "postgresql: $*" >&2
    exit 1
}

find_tools() {
    local candidate
    for candidate in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -rV); do
        if [ -x "$candidate/initdb" ]; then echo "$candidate"; return; fi
    done
    candidate=$(command -v initdb 2>/dev/null) && dirname "$(readlink -f "$candidate")"
}

install_server() {
    [ -z "$(find_tools)" ] || return 0
    command -v apt-get >/dev/null ||
        fail "install PostgreSQL's server with this system's package manager (Fedora: postgresql-server)"
    local become=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "PostgreSQL is missing; run as root: apt-get install postgresql"
        become=(sudo -n)
    fi
    echo "postgresql: installing postgresql" >&2
    local install=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    "${install[@]}" postgresql >/dev/null 2>&1 || {
        "${become[@]}" apt-get update -qq
        "${install[@]}" postgresql >/dev/null || fail "could not install postgresql"
    }
    [ -n "$(find_tools)" ] || fail "PostgreSQL's initdb is still not there"
}

# The server refuses to run as root.
as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent "$@"
    else
        "$@"
    fi
}

port() { cat "$directory/port" 2>/dev/null; }

is_up() { [ -s "$directory/port" ] && as_server "$tools/pg_ctl" -D "$directory/data" status >/dev/null 2>&1; }

free_port() {
    python3 - <<'PYTHON'
import random, socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
PYTHON
}

initialize() {
    rm -rf "$directory"
    mkdir -p "$directory"
    if [ "$(id -u)" -eq 0 ]; then chown nobody:nogroup "$directory"; fi
    chmod 711 "$directory"
    (umask 077 && printf '%s\n' "$password" >"$directory/password")
    if [ "$(id -u)" -eq 0 ]; then chown nobody:nogroup "$directory/password"; fi
    as_server "$tools/initdb" -D "$directory/data" -U "$user" -A scram-sha-256 --pwfile="$directory/password" \
        -E UTF8 --locale=C.UTF-8 -N >"$directory/initdb.out" 2>&1 ||
        { tail -n 5 "$directory/initdb.out" >&2; fail "initdb failed"; }
    # The data is thrown away: nothing needs to survive a crash of the machine.
    as_server tee -a "$directory/data/postgresql.conf" >/dev/null <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
max_connections = 300
max_prepared_transactions = 4
wal_level = logical
shared_buffers = 128MB
max_wal_size = 4GB
autovacuum = off
EOF
}

start() {
    install_server
    tools=$(find_tools)
    mkdir -p "$(dirname "$directory")"
    exec 9>"$directory.lock"
    flock 9
    if ! is_up; then
        initialize
        local attempt number
        # Another process may take a port between the choice and the use.
        for attempt in 1 2 3; do
            number=$(free_port)
            if as_server "$tools/pg_ctl" -D "$directory/data" -w -t 60 -s -o "-p $number" \
                -l "$directory/data/server.log" start >&2 9>&-; then
                echo "$number" >"$directory/port"
                break
            fi
            echo "postgresql: the server did not start (attempt $attempt)" >&2
        done
        [ -s "$directory/port" ] || { tail -n 5 "$directory/data/server.log" >&2; fail "the server does not start"; }
    fi
    exec 9>&-
    environment
}

# Every query that is in the way of what the primary did is ended at once.
standby() {
    tools=$(find_tools)
    [ -s "$directory/port" ] || fail "not started: run $0 start"
    exec 9>"$directory.lock"
    flock 9
    end_standby
    as_server env PGPASSWORD="$password" "$tools/pg_basebackup" -h 127.0.0.1 -p "$(port)" -U "$user" -c fast -R -X stream \
        -D "$directory/standby" 9>&- || fail "could not copy the server's data"
    as_server tee -a "$directory/standby/postgresql.conf" >/dev/null <<EOF
hot_standby_feedback = off
max_standby_streaming_delay = 0
max_standby_archive_delay = 0
EOF
    local number
    number=$(free_port)
    # Whoever started this may wait until everything that it handed on is closed.
    (
        for descriptor in /proc/$BASHPID/fd/*; do
            [ "${descriptor##*/}" -le 2 ] || eval "exec ${descriptor##*/}>&-"
        done
        as_server "$tools/pg_ctl" -D "$directory/standby" -w -t 60 -s -o "-p $number" \
            -l "$directory/standby/server.log" start >&2
    ) || { tail -n 5 "$directory/standby/server.log" >&2; fail "the standby does not start"; }
    exec 9>&-
    echo "export ELDER_BACKUP_TEST_POSTGRESQL_STANDBY_URL=postgresql://$user:$escaped@127.0.0.1:$number/postgres"
}

end_standby() {
    if as_server "$tools/pg_ctl" -D "$directory/standby" status >/dev/null 2>&1; then
        as_server "$tools/pg_ctl" -D "$directory/standby" -m immediate -s -w stop >&2
    fi
    rm -rf "$directory/standby"
}

no_standby() {
    tools=$(find_tools)
    exec 9>"$directory.lock"
    flock 9
    end_standby
    exec 9>&-
}

stop() {
    tools=$(find_tools)
    exec 9>"$directory.lock"
    flock 9
    end_standby
    if is_up; then as_server "$tools/pg_ctl" -D "$directory/data" -m immediate -s -w stop >&2; fi
    [ ! -e "$directory/data/PG_VERSION" ] || rm -rf "$directory"
    exec 9>&-
    rm -f "$directory.lock"
}

status() {
    tools=$(find_tools)
    if is_up; then
        echo "postgresql: runs on port $(port), $("$tools/postgres" --version)"
    elif [ -s "$directory/port" ]; then
        echo "postgresql: was started and does not answer"
        exit 1
    else
        echo "postgresql: not started"
    fi
}

environment() {
    tools=$(find_tools)
    [ -s "$directory/port" ] || fail "not started: run $0 start"
    echo "export ELDER_BACKUP_TEST_POSTGRESQL_URL=postgresql://$user:$escaped@127.0.0.1:$(port)/postgres"
    echo "export ELDER_BACKUP_TEST_POSTGRESQL_TOOLS=$tools"
    echo "export ELDER_BACKUP_TEST_POSTGRESQL_DATA=$directory/data"
}

case ${1:-} in
start | stop | status | environment | standby) "$1" ;;
no-standby) no_standby ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 64
    ;;
esac
