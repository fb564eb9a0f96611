#!/usr/bin/env bash
# What takes too long for every change, on other seeds each night: the simulation with a million
# clients (about two minutes on one core, and 1 GiB of memory), 100,000 histories of a fleet (about
# half an hour of one core), simulated fleets with slow nodes (a quarter of an hour), the drill
# `wednesday` in full, and 10,000 volumes that crash (some minutes). Then volumes through real
# clients: 10,000 kills of a server under load (a quarter of an hour), and PostgreSQL on a volume whose
# server is killed (a minute, as root, with Debian's packages, which it installs). A failure prints its
# seed; SIM_SEED=N scripts/nightly.sh repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

export SIM_SEED=${SIM_SEED:-$(date +%Y%m%d)}
echo "SIM_SEED=$SIM_SEED"

# The everyday scenarios too: they have fixed seeds otherwise.
cargo test --package sim --test overload -- --include-ignored --test-threads 1

# Nothing stale is ever served, whatever leaves, returns or is cut off.
cargo test --package sim --test fleet -- --include-ignored --nocapture --test-threads 1

# Slow nodes: whole fleets of processes, and simulated ones for 12,000 healthy hours.
scripts/fleet-sim.sh 12000 300 "$SIM_SEED"
cargo build --release --package cofferdam
target/release/cofferdam drill run wednesday

# No volume loses what was flushed, whatever is torn, lost, late or full.
cargo test --package volume --release -- --ignored

# No volume loses what was acknowledged, over 10,000 kills of a real server.
cargo build --release --package cofferdam
COFFERDAM_BIN=$PWD/target/release/cofferdam COFFERDAM_KILLS=${COFFERDAM_KILLS:-10000} \
  python3 tests/clients/volume.py -k nothing_acknowledged_is_lost_over_sigkills

# PostgreSQL on ext4 on a volume; where the machine cannot mount, the suite says so.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --preserve-env=COFFERDAM_BIN,COFFERDAM_SECONDS "$@"; fi
}
missing=()
command -v nbdkit >/dev/null || missing+=(nbdkit)
command -v nbdfuse >/dev/null || missing+=(libnbd-bin fuse3)
ls /usr/lib/postgresql/*/bin/pg_amcheck >/dev/null 2>&1 || missing+=(postgresql postgresql-client)
if [ "${#missing[@]}" -gt 0 ]; then
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
COFFERDAM_BIN=$PWD/target/release/cofferdam COFFERDAM_SECONDS=${COFFERDAM_SECONDS:-60} \
  as_root python3 tests/clients/volume_postgres.py
