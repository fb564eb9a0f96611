#!/usr/bin/env bash
# What takes too long for every change: the simulation with a million clients, on other seeds each
# night. About two minutes on one core, and 1 GiB of memory. A failure prints its seed;
# SIM_SEED=N scripts/nightly.sh repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

export SIM_SEED=${SIM_SEED:-$(date +%Y%m%d)}
echo "SIM_SEED=$SIM_SEED"

# The everyday scenarios too: they have fixed seeds otherwise.
cargo test --package sim --test overload -- --include-ignored --test-threads 1
