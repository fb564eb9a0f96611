#!/usr/bin/env bash
# What takes too long for every change, on other seeds each night: the simulation with a million
# clients (about two minutes on one core, and 1 GiB of memory), 100,000 histories of a fleet (about
# half an hour of one core), and 10,000 of volumes that crash (some minutes). A failure prints its
# seed; SIM_SEED=N scripts/nightly.sh repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

export SIM_SEED=${SIM_SEED:-$(date +%Y%m%d)}
echo "SIM_SEED=$SIM_SEED"

# The everyday scenarios too: they have fixed seeds otherwise.
cargo test --package sim --test overload -- --include-ignored --test-threads 1

# Nothing stale is ever served, whatever leaves, returns or is cut off.
cargo test --package sim --test fleet -- --include-ignored --nocapture --test-threads 1

# No volume loses what was flushed, whatever is torn, lost, late or full.
cargo test --package volume --release -- --ignored
