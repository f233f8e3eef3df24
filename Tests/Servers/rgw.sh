# The Ceph RADOS gateway with one monitor and one OSD, no systemd, no block device. Sourced by servers.sh, which says
# what the variables mean and holds run_in_background, end, free_ports and wait_for.
# shellcheck shell=bash disable=SC2154

# Two settings are not obvious: without `ms mon client mode = crc` the gateway hangs where authentication is off, and
# without tcp_nodelay each answer waits 40 ms. Deleted objects keep their space until collected, by default for 2 hours. `rgw dns name` stays empty: the names are in the zone group.
write_ceph_configuration() {
    local mon=$1 http=$2 tls=$3 data=$directory/rgw
    cat >"$directory/ceph.conf" <<END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$mon]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = $data/run
admin socket =
crash dir = $data/run
log file = $data/\$name.log
mon cluster log file = $data/cluster.log
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
rgw rados pool pg num min = 4
osd crush chooseleaf type = 0
mon max pg per osd = 2000
mon data avail crit = 1
mon data avail warn = 1
[mon]
mon data = $data/mon
paxos propose interval = 0.02
paxos min wait = 0.01
mon warn on pool no redundancy = false
[osd]
osd data = $data/osd
osd objectstore = ${RGW_STORE:-memstore}
osd memory target = 1G
bluestore block size = $(numfmt --from=iec "${RGW_SIZE:-8G}")
memstore device bytes = $(numfmt --from=iec "${RGW_SIZE:-8G}")
osd class load list = *
osd class default list = *
[client.rgw]
rgw data = $data/gateway
rgw frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:$http ssl_endpoint=127.0.0.1:$tls ssl_certificate=$directory/tls/server.crt ssl_private_key=$directory/tls/server.key
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = $kms_key=$(printf '0123456789abcdef0123456789abcdef' | base64)
rgw enable usage log = false
rgw gc obj min wait = 20
rgw gc processor period = 20
rgw lc debug interval = ${RGW_LC_DEBUG:--1}
END
}

# Host names and storage classes: read, changed and written back as JSON, which is one start of the tool instead of ten.
configure_zone() {
    local admin=("$@")
    "${admin[@]}" zonegroup get --rgw-zonegroup default >"$directory/rgw/zonegroup.json"
    "${admin[@]}" zone get --rgw-zone default >"$directory/rgw/zone.json"
    python3 - "$directory/rgw" "${hostnames[@]}" <<'PYTHON'
import json, sys
folder, names = sys.argv[1], sys.argv[2:]
classes = ["STANDARD_IA", "GLACIER"]
with open(folder + "/zonegroup.json") as file:
    group = json.load(file)
group["hostnames"] = names
for target in group["placement_targets"]:
    target["storage_classes"] = ["STANDARD"] + classes
with open(folder + "/zone.json") as file:
    zone = json.load(file)
for pool in zone["placement_pools"]:
    for name in classes:
        pool["val"]["storage_classes"][name] = {"data_pool": f"default.rgw.{name}.data"}
for name, value in (("zonegroup", group), ("zone", zone)):
    with open(f"{folder}/{name}.json", "w") as file:
        json.dump(value, file)
PYTHON
    "${admin[@]}" zonegroup set --rgw-zonegroup default --infile "$directory/rgw/zonegroup.json"
    "${admin[@]}" zone set --rgw-zone default --infile "$directory/rgw/zone.json"
}

create_users() {
    local admin=("$@")
    "${admin[@]}" user create --uid=test --display-name=test --access-key="$test_access" --secret="$test_secret"
    "${admin[@]}" user create --uid=plain --display-name=plain --access-key="$plain_access" --secret="$plain_secret" \
        --max-buckets=-1
    "${admin[@]}" user create --uid=small --display-name=small --access-key="$small_access" --secret="$small_secret"
    "${admin[@]}" quota set --uid=small --quota-scope=bucket --max-size=2097152 --max-objects=-1
    "${admin[@]}" quota enable --uid=small --quota-scope=bucket
}

start_rgw() {
    local mon http tls osd configuration=$directory/ceph.conf data=$directory/rgw admin
    # Settings of whoever runs this must not reach the daemons.
    export CEPH_CONF=$configuration CEPH_ARGS=
    read -r mon http tls <<<"$(free_ports 3)"
    mkdir -p "$data"/{mon,osd,gateway,run}
    write_ceph_configuration "$mon" "$http" "$tls"
    {
        monmaptool --create --fsid "$(awk '$1 == "fsid" { print $3 }' "$configuration")" --addv a \
            "[v2:127.0.0.1:$mon]" "$data/monmap"
        ceph-mon -c "$configuration" -i a --mkfs --monmap "$data/monmap"
    } >"$data/setup.out" 2>&1
    run_in_background rgw-mon ceph-mon -c "$configuration" -i a -f
    osd=$(cat /proc/sys/kernel/random/uuid)
    {
        timeout 60 ceph -c "$configuration" --connect-timeout 50 osd new "$osd"
        ceph-osd -c "$configuration" -i 0 --mkfs --osd-uuid "$osd"
    } >>"$data/setup.out" 2>&1
    run_in_background rgw-osd ceph-osd -c "$configuration" -i 0 -f
    admin=(timeout 120 radosgw-admin -c "$configuration" -n client.rgw)
    # The first call makes the realm's defaults, so users come before the zone.
    create_users "${admin[@]}" >>"$data/setup.out" 2>&1
    configure_zone "${admin[@]}" >>"$data/setup.out" 2>&1
    run_in_background rgw radosgw -c "$configuration" -n client.rgw -f
    wait_for rgw "$configuration" "$http"
    echo "${RGW_LC_DEBUG:-}" >"$directory/rgw.lc"
    echo "$http $tls $mon" >"$directory/rgw.ports"
}

stop_rgw() {
    local name
    for name in rgw rgw-osd rgw-mon; do end $name "$directory/ceph.conf"; done
    rm -rf "$directory/rgw" "$directory/ceph.conf"
}
