#!/usr/bin/env bash
# How often the judge takes out healthy nodes and how soon he finds bad ones, over simulated fleets of
# 6, 30 and 300 nodes with noise, at intensities that it was not made with; beside it the rules of
# Envoy, mcrouter and TiKV on the same requests.
#
#   scripts/fleet-sim.sh [NODE_HOURS [FAULTS_OF_EACH_KIND [SEED]]]   12,000 and 300: a quarter of an
#                                                                    hour of two cores
#
# Prints a table; target/fleet-sim.json has all of it. Exits with 1 if more than one healthy node in
# 10,000 hours was taken out, or less than 99 % of a kind of fault was found within 30 s.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --quiet --package sim --example fleet_sim
mkdir -p target
target/release/examples/fleet_sim "${1:-12000}" "${2:-300}" "${3:-1}" >target/fleet-sim.json.new
mv target/fleet-sim.json.new target/fleet-sim.json

python3 - target/fleet-sim.json <<'PYTHON'
import json
import sys

found = json.load(open(sys.argv[1]))
misses = [
    f"{kind}: {one['detected']} of {one['n']} found"
    for kind, one in found["detection"].items()
    if one["detected"] < 0.99 * one["n"]
]
if found["false_ejections"] * 1e4 > found["healthy_node_hours"]:
    misses.append(f"{found['false_ejections']} false ejections in {found['healthy_node_hours']} h")
print("\n".join(misses) or "within its bounds")
sys.exit(1 if misses else 0)
PYTHON
