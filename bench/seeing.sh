#!/usr/bin/env bash
# How soon the status page tells of an outage, and how light it is: target/bench/seeing.json. Needs what
# scripts/test.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet
exec target/clients/venv/bin/python bench/seeing.py
