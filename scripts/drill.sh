#!/usr/bin/env bash
# The drill in its quick form, and its control: with protections it must pass, without them it must
# show the outage. What else a machine is busy with can fail an attempt, so that several are made, and
# what fails once is not blamed on the change. A machine that disturbs every attempt is told.
set -euo pipefail
cd "$(dirname "$0")/.."

cofferdam=${1:-target/debug/cofferdam}
attempts=5
folder=$(mktemp -d)
out=$folder/report
trap 'rm -rf "$folder"' EXIT

# Runs the drill until it exits with $1 or three times with another verdict; sets $code: which, or 2 if the
# attempts do not tell. $out has the last report that told anything.
drill() {
  local wanted=$1 others=0 this
  shift
  code=2
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    this=0
    "$cofferdam" drill run friday --quick --json --report "$folder/drill.md" "$@" \
      >"$folder/this" 2>"$folder/progress" || this=$?
    if [ "$this" -eq 2 ]; then
      continue
    fi
    cp "$folder/this" "$out"
    if [ "$this" -eq "$wanted" ] || [ "$((others += 1))" -eq 3 ]; then
      code=$this
      return
    fi
  done
}

for protections in on off; do
  echo "friday --quick, protections $protections"
  drill "$([ "$protections" = on ] && echo 0 || echo 1)" --protections "$protections"
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

# Nodes that turn slow or only look so; its controls are its own. It tries again by itself what the
# machine disturbed.
echo "wednesday --quick"
command -v etcd >/dev/null || { echo "no etcd: apt-get install etcd-server" >&2; exit 1; }
for ((attempt = 1; attempt <= 3; attempt++)); do
  code=0
  "$cofferdam" drill run wednesday --quick --json >"$out" 2>"$folder/progress" || code=$?
  [ "$code" -ne 0 ] || break
done
case $code in
  0) echo "passed, and its controls show the outage" ;;
  2) echo "could not be run here: $attempt attempts were disturbed" ;;
  *)
    echo "exit code $code:" >&2
    cat "$out" "$folder/progress" >&2
    exit 1
    ;;
esac
