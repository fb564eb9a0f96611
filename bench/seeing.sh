#!/usr/bin/env bash
# How soon the status page tells of an outage, how light it is, and what looking costs those who are
# served: target/bench/seeing.json. Needs what scripts/test.sh installs; COFFERDAM_BIN names a binary
# that is not to be built first.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -n "${COFFERDAM_BIN:-}" ] || cargo build --release --quiet
exec target/clients/venv/bin/python bench/seeing.py "$@"
