#!/usr/bin/env bash
# A fleet on this machine: two gateways over four cache nodes, each a process of its own, on loopback.
#
#   scripts/local-fleet.sh up [BINARY]   starts it and prints where clients connect
#   scripts/local-fleet.sh down          ends it
#   scripts/local-fleet.sh pids          which process is which
#
# State and logs are in target/fleet (COFFERDAM_FLEET_DIR); ports from 22101 on (COFFERDAM_FLEET_PORT).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${COFFERDAM_FLEET_DIR:-$PWD/target/fleet}
port=${COFFERDAM_FLEET_PORT:-22101}
nodes=4
gateways=2

write_node() {
    mkdir -p "$folder/node$1"
    cat >"$folder/node$1.toml" <<EOF
data_dir = "$folder/node$1"
threads = 1
[fleet]
member = $1
name = "node$1"
listen = "127.0.0.1:$((port + 20 + $1))"
plaintext = true
EOF
}

write_gateway() {
    local list="" node
    for node in $(seq $nodes); do
        list+="{ member = $node, name = \"node$node\", addr = \"127.0.0.1:$((port + 20 + node))\" }, "
    done
    mkdir -p "$folder/gateway$1"
    cat >"$folder/gateway$1.toml" <<EOF
data_dir = "$folder/gateway$1"
memory = "512MiB"
threads = 1
[listen]
memcache = "127.0.0.1:$((port + $1 - 1))"
memcache_auth = "127.0.0.1:$((port + $1 + 9))"
admin = "127.0.0.1:$((port + $1 + 29))"
nbd = "off"
[fleet]
member = $((100 + $1))
name = "gateway$1"
plaintext = true
nodes = [${list%, }]
EOF
}

# Starts one process and waits for its ready line.
start() {
    local name=$1 role=$2 waited=0
    "$binary" "$role" --config "$folder/$name.toml" >"$folder/$name.log" 2>&1 &
    echo $! >"$folder/$name.pid"
    until grep -q '^ready ' "$folder/$name.log"; do
        kill -0 "$(cat "$folder/$name.pid")" 2>/dev/null && [ $waited -lt 100 ] || {
            echo "$name has not started:" >&2
            cat "$folder/$name.log" >&2
            exit 1
        }
        waited=$((waited + 1))
        sleep 0.1
    done
}

up() {
    binary=${1:-}
    [ -n "$binary" ] || binary=target/release/cofferdam
    [ -x "$binary" ] || { echo "no $binary: cargo build --release, or name another" >&2; exit 1; }
    ! ls "$folder"/*.pid >/dev/null 2>&1 || { echo "it is up already: $0 down" >&2; exit 1; }
    mkdir -p "$folder"
    local each
    for each in $(seq $nodes); do
        write_node "$each"
        start "node$each" node
    done
    for each in $(seq $gateways); do
        write_gateway "$each"
        start "gateway$each" gateway
    done
    echo "MEMCACHE_SERVERS=127.0.0.1:$port,127.0.0.1:$((port + 1))"
}

down() {
    local file pid waited
    for file in "$folder"/*.pid; do
        [ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    for file in "$folder"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        waited=0
        while kill -0 "$pid" 2>/dev/null && [ $waited -lt 150 ]; do
            waited=$((waited + 1))
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
        rm -f "$file"
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
down) down ;;
pids) pids ;;
*) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//' && exit 2 ;;
esac
