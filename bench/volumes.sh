#!/usr/bin/env bash
# Volumes beside nbdkit's file plugin and qemu-nbd, on the same disk in one run.
#
#     bench/volumes.sh [--quick] [--pairs N] [--seconds N] [--size-mib N] [--cases CASE,CASE ...]
#
# Needs Debian's fio, nbdkit and qemu-utils, and a release build of cofferdam. Everything goes over
# Unix sockets through fio's nbd engine; every file is prefilled by 4 KiB writes, which is the peers'
# best state; servers take turns within a pair and pairs alternate; medians count. What needs no disk
# (write_amp_uniform, write_amp_skew, map_1tib_bytes, attach_1tib_ms) is measured in-process over a store
# that discards payloads. Processor time is that of the server's process, user and system;
# how busy the load was is in processors, of which fio takes one for each job at most. The cases and
# their bounds are those of docs/volumes.md. Writes target/bench/volumes.json, into which single cases of
# a later run are taken in.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in fio nbdkit qemu-nbd python3; do
    command -v "$tool" >/dev/null || { echo "volumes.sh: $tool is missing: apt-get install fio nbdkit qemu-utils python3" >&2; exit 2; }
done
if [ -z "${COFFERDAM_BIN:-}" ]; then
    cargo build --release -p cofferdam
    COFFERDAM_BIN="$(pwd)/target/release/cofferdam"
    export COFFERDAM_BIN
fi
if [ -z "${COFFERDAM_MEASURE:-}" ]; then
    cargo build --release -p volume --example measure
    COFFERDAM_MEASURE="$(pwd)/target/release/examples/measure"
    export COFFERDAM_MEASURE
fi
exec python3 bench/volumes/run.py "$@"
