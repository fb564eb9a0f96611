#!/usr/bin/env bash
# A fleet on this machine: three etcd, two gateways, four cache nodes, each a process of its own, on
# loopback.
#
#   scripts/local-fleet.sh up [BINARY]        starts it and prints where clients connect
#   scripts/local-fleet.sh add N [BINARY]     starts one more node, number N, which joins the others
#   scripts/local-fleet.sh start NAME [BINARY]  starts one again that has ended: etcd1, node2, gateway1
#   scripts/local-fleet.sh down               ends it
#   scripts/local-fleet.sh pids               which process is which
#
# State and logs are in target/fleet (COFFERDAM_FLEET_DIR); ports from 22101 on (COFFERDAM_FLEET_PORT).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${COFFERDAM_FLEET_DIR:-$PWD/target/fleet}
port=${COFFERDAM_FLEET_PORT:-22101}
nodes=4
gateways=2
etcds=3

etcd_url() { echo "http://127.0.0.1:$((port + 40 + $1))"; }
etcd_peer() { echo "http://127.0.0.1:$((port + 50 + $1))"; }

endpoints() {
    local each list=""
    for each in $(seq $etcds); do list+="\"$(etcd_url "$each")\", "; done
    echo "[${list%, }]"
}

write_node() {
    mkdir -p "$folder/node$1"
    cat >"$folder/node$1.toml" <<END
data_dir = "$folder/node$1"
memory = "256MiB"
threads = 1
[listen]
admin = "127.0.0.1:$((port + 60 + $1))"
[fleet]
name = "node$1"
listen = "127.0.0.1:$((port + 20 + $1))"
plaintext = true
[store]
endpoints = $(endpoints)
END
}

write_gateway() {
    mkdir -p "$folder/gateway$1"
    cat >"$folder/gateway$1.toml" <<END
data_dir = "$folder/gateway$1"
threads = 1
[listen]
memcache = "127.0.0.1:$((port + $1 - 1))"
memcache_auth = "127.0.0.1:$((port + $1 + 9))"
admin = "127.0.0.1:$((port + $1 + 29))"
nbd = "off"
status = "off"
[fleet]
name = "gateway$1"
plaintext = true
[store]
endpoints = $(endpoints)
END
}

start_etcd() {
    local each cluster="" number=${1#etcd}
    for each in $(seq $etcds); do cluster+="etcd$each=$(etcd_peer "$each"),"; done
    etcd --name "$1" --data-dir "$folder/$1" --logger zap --log-level error \
        --listen-client-urls "$(etcd_url "$number")" --advertise-client-urls "$(etcd_url "$number")" \
        --listen-peer-urls "$(etcd_peer "$number")" \
        --initial-advertise-peer-urls "$(etcd_peer "$number")" \
        --initial-cluster "${cluster%,}" >"$folder/$1.log" 2>&1 &
    echo $! >"$folder/$1.pid"
}

start_process() {
    "$binary" "${1%%[0-9]*}" --config "$folder/$1.toml" >"$folder/$1.log" 2>&1 &
    echo $! >"$folder/$1.pid"
}

await_ready() {
    local waited=0
    until grep -q '^ready ' "$folder/$1.log"; do
        is_running "$(cat "$folder/$1.pid")" && [ $waited -lt 300 ] || {
            echo "$1 has not started:" >&2
            cat "$folder/$1.log" >&2
            exit 1
        }
        waited=$((waited + 1))
        sleep 0.1
    done
}

find_binary() {
    binary=${1:-target/release/cofferdam}
    [ -x "$binary" ] || { echo "no $binary: cargo build --release, or name another" >&2; exit 1; }
    command -v etcd >/dev/null || { echo "no etcd: apt-get install etcd-server" >&2; exit 1; }
}

up() {
    find_binary "${1:-}"
    ! ls "$folder"/*.pid >/dev/null 2>&1 || { echo "it is up already: $0 down" >&2; exit 1; }
    mkdir -p "$folder"
    # Of an earlier one: its members have other ports.
    rm -rf "$folder"/etcd? "$folder"/node? "$folder"/gateway?
    local each
    for each in $(seq $etcds); do start_etcd "etcd$each"; done
    for each in $(seq $nodes); do
        write_node "$each"
        start_process "node$each"
    done
    for each in $(seq $gateways); do
        write_gateway "$each"
        start_process "gateway$each"
    done
    for each in $(seq $nodes); do await_ready "node$each"; done
    for each in $(seq $gateways); do await_ready "gateway$each"; done
    echo "MEMCACHE_SERVERS=127.0.0.1:$port,127.0.0.1:$((port + 1))"
}

add() {
    find_binary "${2:-}"
    write_node "$1"
    start_process "node$1"
    await_ready "node$1"
}

start() {
    case $1 in
    etcd*) start_etcd "$1" ;;
    *)
        find_binary "${2:-}"
        start_process "$1"
        await_ready "$1"
        ;;
    esac
}

# One that has ended and that nobody has asked after yet is not running.
is_running() {
    case $(ps -o stat= -p "$1" 2>/dev/null) in "" | Z*) return 1 ;; esac
}

# Members before their store, so that they can say that they end.
down() {
    local kind file pid waited
    for kind in gateway node etcd; do
        for file in "$folder/$kind"*.pid; do
            [ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
        done
        for file in "$folder/$kind"*.pid; do
            [ -e "$file" ] || continue
            pid=$(cat "$file")
            waited=0
            while is_running "$pid" && [ $waited -lt 150 ]; do
                waited=$((waited + 1))
                sleep 0.1
            done
            kill -9 "$pid" 2>/dev/null || true
            rm -f "$file"
        done
    done
}

pids() {
    local file
    for file in "$folder"/*.pid; do
        [ -e "$file" ] && echo "$(basename "$file" .pid) $(cat "$file")"
    done
}

case ${1:-} in
up) up "${2:-}" ;;
add) add "$2" "${3:-}" ;;
start) start "$2" "${3:-}" ;;
down) down ;;
pids) pids ;;
*) sed -n '2,11p' "$0" | sed 's/^# \{0,1\}//' && exit 2 ;;
esac
