# Debian 12 systems of our own, to run in; sourced after lib.sh, never run.
# shellcheck shell=bash

# Prints "URI SUITE COMPONENTS" of this machine's own Debian 12 mirror, one line a suite; nothing on another system.
host_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 ~ /^bookworm(-updates|-security)?$/ && $3 == "main" && ($4 == "Debian" || NF == 3) { print $1, $2, $3 }' |
    sort -u
}

# The base system, made once: exactly what debootstrap installs, and the mirror's other suites.
bare_base() {
  local base=$1 lines mirror
  # Several tests may want it at once.
  exec 8>"${TMPDIR:-/tmp}/audiencesync-base.lock"
  flock 8
  [ -d "$base" ] && { exec 8>&-; return 0; }
  lines=$(host_mirror)
  mirror=$(awk '$2 == "bookworm" { print $1; exit }' <<<"$lines")
  say "making the base system of a bare Debian 12"
  as_root rm -rf "$base.part"
  # Without a mirror of our own debootstrap takes its default.
  as_root debootstrap --variant=minbase bookworm "$base.part" ${mirror:+"$mirror"} >/dev/null ||
    die "debootstrap failed"
  [ -z "$lines" ] || sed 's/^/deb /' <<<"$lines" | as_root tee "$base.part/etc/apt/sources.list" >/dev/null
  as_root mv "$base.part" "$base"
  exec 8>&-
}

# What a killed run left behind; a living one is left alone.
remove_old_runs() {
  local old
  for old in "$1"/run-*; do
    [ -d "$old" ] && ! as_root kill -0 "${old##*-}" 2>/dev/null && as_root rm -rf "$old"
  done
  return 0
}

# contained OPTION...: systemd-nspawn, without a machine manager; ended after 20 minutes unless `contained_limit` says
# otherwise, in seconds.
contained_limit=1200
contained() {
  # It cleans up only in a /run that is a file system of its own; a machine without one lends it.
  local manager=(timeout --kill-after=20 "$contained_limit" systemd-nspawn)
  # shellcheck disable=SC2016 # expanded inside
  [ "$(stat -f -c %T /run)" = tmpfs ] ||
    manager=(unshare --mount sh -c 'mount -t tmpfs tmpfs /run && exec timeout --kill-after=20 "$@"' sh "$contained_limit" systemd-nspawn)
  as_root "${manager[@]}" --register=no --keep-unit --quiet "$@"
}

run_bare() {
  local cache=${AUDIENCESYNC_CACHE:-/var/cache/audiencesync} base run code=0
  debian_packages debootstrap systemd-container git
  base=$cache/bookworm-$(dpkg --print-architecture)
  run=$cache/run-$$
  as_root mkdir -p "$cache/archives/partial"
  remove_old_runs "$cache"
  bare_base "$base"
  # shellcheck disable=SC2064 # the folder is known now
  trap "as_root rm -rf '$run'" EXIT
  as_root cp -a --reflink=auto "$base" "$run"
  # Nobody needs this system after a power cut: dpkg need not wait for the disk after every file.
  echo force-unsafe-io | as_root tee "$run/etc/dpkg/dpkg.cfg.d/throw-away" >/dev/null

  local clone
  clone=$(mktemp -d)
  git clone --quiet --no-hardlinks "$root" "$clone/audiencesync"
  as_root mv "$clone/audiencesync" "$run/root/audiencesync"
  as_root chown -R 0:0 "$run/root/audiencesync"
  rmdir "$clone"

  # Network, resolver, trusted certificates and npm's registry are the host's; nothing else is.
  local options=(--directory="$run" --as-pid2 --console=pipe --resolv-conf=copy-host
                 --bind="$cache/archives:/var/cache/apt/archives"
                 --setenv=HOME=/root --setenv=LANG=C.UTF-8 --chdir=/root/audiencesync)
  local certificates=/etc/ssl/certs/ca-certificates.crt name
  if [ -r "$certificates" ]; then
    options+=(--bind-ro="$certificates:/opt/host-certificates.crt"
              --setenv=NODE_EXTRA_CA_CERTS=/opt/host-certificates.crt)
  fi
  for name in http_proxy https_proxy no_proxy npm_config_registry CI AUDIENCESYNC_SEEDS AUDIENCESYNC_KILL_STEP \
    AUDIENCESYNC_FAULT_STEP AUDIENCESYNC_KILL_PAIRS; do
    [ -z "${!name:-}" ] || options+=(--setenv="$name=${!name}")
  done
  say "running scripts/demo and scripts/test in a bare Debian 12"
  # shellcheck disable=SC2016 # expanded inside
  contained_limit=3600
  contained "${options[@]}" /bin/bash -c 'scripts/demo && scripts/test "$@"' bare "$@" </dev/null ||
    code=$?
  return "$code"
}

# What a booted system has before our packages come: systemd, what they depend on, and nothing of ours. Kept between
# runs, named after the dependencies, so that a new one makes a new system.
boot_base() {
  local base=$1 bare=$2 cache=$3
  shift 3
  [ -d "$base" ] && return 0
  say "making a Debian 12 that boots"
  as_root rm -rf "$base.part" "$cache"/boot-*
  as_root cp -a --reflink=auto "$bare" "$base.part"
  echo force-unsafe-io | as_root tee "$base.part/etc/dpkg/dpkg.cfg.d/throw-away" >/dev/null
  contained --directory="$base.part" --as-pid2 --console=pipe --resolv-conf=copy-host \
    --bind="$cache/archives-boot:/var/cache/apt/archives" --setenv=DEBIAN_FRONTEND=noninteractive \
    /bin/sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@" && systemctl mask \
      systemd-networkd systemd-resolved systemd-timesyncd getty.target console-getty.service \
      apt-daily.timer apt-daily-upgrade.timer' sh systemd systemd-sysv dbus curl jq adduser psmisc "$@" \
    </dev/null >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; die "the system could not be made"; }
  as_root mv "$base.part" "$base"
}

# The packages on a system that boots. It has a network of its own: loopback and nothing else.
run_boot() {
  local cache=${AUDIENCESYNC_CACHE:-/var/cache/audiencesync} bare base run needs shared code=0 start=$SECONDS
  debian_packages debootstrap systemd-container dpkg-dev
  "$root/scripts/package"
  bare=$cache/bookworm-$(dpkg --print-architecture)
  # Not the folder of run_bare: apt locks it, and both may run at once.
  as_root mkdir -p "$cache/archives-boot/partial"
  remove_old_runs "$cache"
  bare_base "$bare"
  # Every dependency but our own packages, without versions and alternatives.
  mapfile -t needs < <(for package in "$root"/build/release/packages/*.deb; do
    dpkg-deb -f "$package" Depends | tr ',' '\n'
  done | sed -E 's/[(|].*//; s/ //g' | grep -v '^audiencesync' | sort -u)
  base=$cache/boot-$(printf '%s\n' "${needs[@]}" "$(sha256sum <"$root/scripts/containers.sh")" | sha256sum | cut -c1-16)
  boot_base "$base" "$bare" "$cache" "${needs[@]}"
  run=$cache/run-$$
  shared=$(mktemp -d)
  # shellcheck disable=SC2064 # the folders are known now
  trap "as_root rm -rf '$run' '$shared'" EXIT
  as_root cp -a --reflink=auto "$base" "$run"
  cp -r "$root/tests/boot/." "$shared/"
  cp "$root"/build/release/packages/*.deb "$shared/"
  as_root install -D -m 644 "$root/tests/boot/boot-test.service" "$run/etc/systemd/system/boot-test.service"
  as_root mkdir -p "$run/etc/systemd/system/multi-user.target.wants"
  as_root ln -s ../boot-test.service "$run/etc/systemd/system/multi-user.target.wants/boot-test.service"
  contained_limit=600
  say "booting a Debian 12 with the packages"
  : >"$shared/log"
  tail -n +1 -f --pid=$$ "$shared/log" &
  local follower=$!
  local boots
  for boots in 1 2; do
    code=0
    contained --boot --directory="$run" --private-network --console=pipe --bind="$shared:/opt/boot" \
      --hostname=audiencesync-boot </dev/null >>"$shared/console" 2>&1 || code=$?
    # 133: the system wants to be started again.
    [ "$code" = 133 ] || break
  done
  [ "$boots" = 2 ] || say "the system was booted once only"
  kill "$follower" 2>/dev/null || true
  if ! grep -q '^boot test: passed' "$shared/log"; then
    tail -n 40 "$shared/console" >&2
    [ -e "$shared/journal" ] && grep -v "operator.command.*command=\(status\|members\) " "$shared/journal" | tail -n 120 >&2
    die "the boot test did not pass (the system ended with $code)"
  fi
  say "boot test took $(duration $((SECONDS - start)))"
}
