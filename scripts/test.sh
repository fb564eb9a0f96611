#!/usr/bin/env bash
# Everything that must hold before a change is merged: format, lints, tests, house rules, and the
# black-box suite through real clients. On a fresh Debian machine with rustup it installs what it
# needs and leaves alone what is there. One build profile throughout: dev.
set -euo pipefail
cd "$(dirname "$0")/.."

clients=target/clients
section="start"
began=$SECONDS

begin() {
  section=$1
  printf '\n==> %s  (%ds)\n' "$section" "$((SECONDS - began))"
}

failed() {
  printf '\nFAILED in: %s\n' "$section" >&2
}
trap failed ERR

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "$* needs root: run it yourself, or install sudo" >&2
    return 1
  fi
}

# Names the Debian packages whose command is not there yet.
missing_packages() {
  command -v cc >/dev/null || echo gcc
  command -v memcached >/dev/null || echo memcached
  command -v memccapable >/dev/null || echo libmemcached-tools
  command -v node >/dev/null || echo nodejs
  # Debian's npm clashes with a Node.js from elsewhere, so it comes only where there is none.
  command -v npm >/dev/null || echo npm
  command -v ruby >/dev/null && ruby -rdalli -e '' 2>/dev/null || echo ruby ruby-dalli
  command -v php >/dev/null && php -m | grep -x memcached >/dev/null || echo php-cli php-memcached
  command -v promtool >/dev/null || echo prometheus
  command -v etcd >/dev/null || echo etcd-server
  command -v systemd-analyze >/dev/null || echo systemd
  command -v openssl >/dev/null || echo openssl
  # Volumes: clients of NBD, and what mounts them.
  command -v nbdkit >/dev/null || echo nbdkit
  command -v nbdinfo >/dev/null || echo libnbd-bin
  /usr/bin/python3 -c 'import nbd' 2>/dev/null || echo python3-libnbd
  command -v qemu-io >/dev/null || echo qemu-utils
  command -v fusermount3 >/dev/null || echo fuse3
  command -v mkfs.ext4 >/dev/null || echo e2fsprogs
  command -v git >/dev/null || echo git
  command -v python3 >/dev/null || echo python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

install_debian_packages() {
  local packages
  mapfile -t packages < <(missing_packages | tr ' ' '\n')
  if [ "${#packages[@]}" -eq 0 ]; then
    echo "nothing to install"
    return
  fi
  echo "installing: ${packages[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${packages[@]}"
  # The package starts a service on the port that `cofferdam up` uses; the tests start their own.
  case " ${packages[*]} " in
    *" memcached "*) as_root systemctl disable --now memcached >/dev/null 2>&1 || true ;;
  esac
  # Tests start an etcd of their own.
  case " ${packages[*]} " in
    *" etcd-server "*) as_root systemctl disable --now etcd >/dev/null 2>&1 || true ;;
  esac
  # Of this one only promtool is needed, which checks metrics.
  case " ${packages[*]} " in
    *" prometheus "*) as_root systemctl disable --now prometheus >/dev/null 2>&1 || true ;;
  esac
}

# Where there can be no browser what needs one is left out, and says so; everywhere else it must run.
install_chromium() {
  if command -v chromium >/dev/null; then
    echo "chromium: already there"
  elif ! as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends chromium; then
    echo "NO BROWSER: apt-get has no package chromium here (see above); what needs one is skipped," >&2
    echo "and each suite says so. Debian has it for amd64 and arm64." >&2
    export COFFERDAM_NO_BROWSER=1
  fi
}

check_toolchain() {
  if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust from https://rustup.rs" >&2
    return 1
  fi
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
  rustc --version
}

install_python_clients() {
  local stamp=$clients/venv/requirements.txt
  if cmp -s tests/clients/requirements.txt "$stamp"; then
    echo "Python clients: already there"
    return
  fi
  rm -rf "$clients/venv"
  python3 -m venv "$clients/venv"
  "$clients/venv/bin/pip" install --quiet -r tests/clients/requirements.txt
  cp tests/clients/requirements.txt "$stamp"
}

install_node_clients() {
  local stamp=$clients/node/package.json
  if cmp -s tests/clients/package.json "$stamp" && [ -d "$clients/node/node_modules/playwright-core" ]; then
    echo "Node.js clients: already there"
    return
  fi
  mkdir -p "$clients/node"
  cp tests/clients/package.json "$stamp"
  npm install --prefix "$clients/node" --no-audit --no-fund --no-package-lock --loglevel=error
}

run_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --all-targets
    cargo test --workspace --doc --quiet
  else
    cargo test --workspace --all-targets --quiet
    cargo test --workspace --doc --quiet
  fi
}

begin "Toolchain"
check_toolchain

begin "Debian packages"
install_debian_packages
install_chromium

begin "Python and Node.js clients"
mkdir -p "$clients"
install_python_clients
install_node_clients

begin "Format"
cargo fmt --all --check

begin "Clippy"
cargo clippy --workspace --all-targets -- -D warnings

begin "Build"
cargo build --workspace

begin "Tests"
run_tests

begin "Tests of the benchmark's arithmetic"
python3 -B -m unittest discover bench/versus

begin "House rules"
cargo run --quiet -p xtask -- tidy

begin "Drill"
scripts/drill.sh

begin "Black-box suite"
"$clients/venv/bin/python" tests/clients/run.py "$@"

printf '\nAll passed in %d s.\n' "$((SECONDS - began))"
