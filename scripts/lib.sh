# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Prints the comment at the top of a script: its help.
help_of() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"; }

# Runs a command as root: directly, or through sudo when there is one.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    die "needs root or sudo to run: $*"
  fi
}

# Installs those of the named Debian packages that are missing; quiet when none is.
debian_packages() {
  local missing=() name log
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return 0
  command -v apt-get >/dev/null || die "this needs Debian 12; install by hand what gives: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  log=$(mktemp)
  # Another installation may be going on: wait for it instead of failing.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  if ! { as_root "${apt[@]}" update && as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
      >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "the Debian packages could not be installed"
  fi
  rm -f "$log"
}

# What a build needs, and what its tests need beside it.
build_packages=(
  ca-certificates cmake ninja-build g++ ccache pkg-config
  libyaml-cpp-dev libcurl4-openssl-dev libsimdjson-dev libsystemd-dev libgit2-dev libcpp-httplib-dev libspdlog-dev libfmt-dev
  libboost-dev libboost-program-options-dev libsqlite3-dev libzstd-dev libsnappy-dev libxxhash-dev libssl-dev
  nlohmann-json3-dev zlib1g-dev libhowardhinnant-date-dev tzdata libpq-dev
)
# systemd: its judgement of the units. git and the makers of signatures: repositories as their authors have them.
test_packages=(libgtest-dev libgmock-dev postgresql-client systemd git openssh-client gpg gpg-agent gpgv jq curl openssl)
# Only where no npm is: Debian's does not go together with a Node.js from elsewhere, and any npm will do.
command -v npm >/dev/null || build_packages+=(npm)

# Seconds as a person writes them: 7 s, 3 min 20 s.
duration() {
  if [ "$1" -lt 60 ]; then printf '%s s' "$1"; else printf '%s min %s s' $(($1 / 60)) $(($1 % 60)); fi
}

# Sets `processor` to the processor time that the ended children of this shell took so far, in seconds. Not a printing
# function: in a subshell there would be no children.
measure_processor() {
  times >"$root/build/.times"
  processor=$(awk 'NR == 2 { for (i = 1; i <= 2; ++i) { split($i, part, /[ms]/); sum += part[1] * 60 + part[2] }
                             printf "%d", sum }' "$root/build/.times")
}

# build PRESET [TARGET...]: configures and builds into build/PRESET; everything without a target.
build() {
  local preset=$1 began=$SECONDS log
  shift
  log=$root/build/$preset-configure.log
  mkdir -p "$root/build"
  say "building $preset${*:+: $*}"
  (cd "$root" && cmake --preset "$preset") >"$log" 2>&1 || { cat "$log" >&2; die "CMake could not configure"; }
  # On a pipe ninja prints a line for each file; what matters is a failure, and that is printed whole.
  measure_processor
  local before=$processor
  ninja -C "$root/build/$preset" --quiet "$@" || die "the build failed"
  measure_processor
  say "built $preset in $(duration $((SECONDS - began))), $(duration $((processor - before))) of processor time"
}
