#!/usr/bin/env bash
# Cofferdam beside memcached, and gateway and node beside nutcracker and memcached, on one machine in
# one run: speed, CPU per request, memory.
#
#   bench/versus.sh [--memcached PATH | --admission] [--cases a,b] [--pairs N] [--seconds S]
#
# Writes target/bench/versus.json, versus.md and versus.svg, and prints the table. Takes about
# ten minutes as it stands; nothing else should run on the machine meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()
command -v memcached >/dev/null || missing+=(memcached)
command -v nutcracker >/dev/null || missing+=(nutcracker)
command -v python3 >/dev/null || missing+=(python3)
if [ "${#missing[@]}" -gt 0 ]; then
    echo "installing: ${missing[*]}" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >&2
fi

needs_build=1
for argument in "$@"; do
    case "$argument" in
        --cofferdam | --cofferdam=* | -h | --help) needs_build=0 ;;
    esac
done
if [ "$needs_build" -eq 1 ]; then
    cargo build --release --quiet -p cofferdam
fi

# The program cleans up after itself when it is interrupted, so it takes this shell's place.
exec python3 -B bench/versus "$@"
