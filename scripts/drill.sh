#!/usr/bin/env bash
# The drill in its quick form, and its control: with protections it must pass, without them it must
# show the outage. A machine that disturbs every attempt is told, not blamed on the change.
set -euo pipefail
cd "$(dirname "$0")/.."

cofferdam=${1:-target/debug/cofferdam}
attempts=3
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Runs the drill until it says something; sets $code.
drill() {
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    code=0
    "$cofferdam" drill run friday --quick --json "$@" >"$out" || code=$?
    if [ "$code" -ne 2 ]; then
      return
    fi
  done
}

for protections in on off; do
  echo "friday --quick, protections $protections"
  drill --protections "$protections"
  case $protections$code in
    on0) echo "passed" ;;
    off1)
      if ! grep -q 'fails by far' "$out"; then
        echo "the control does not fail by far:" >&2
        cat "$out" >&2
        exit 1
      fi
      echo "shows the outage, as it must"
      ;;
    on2 | off2) echo "could not be run here: $attempts attempts were disturbed" ;;
    *)
      echo "exit code $code:" >&2
      cat "$out" >&2
      exit 1
      ;;
  esac
done
