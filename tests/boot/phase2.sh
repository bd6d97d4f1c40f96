# After the reboot: resume, upgrade, removal. Sourced by run.
# shellcheck shell=bash

heading "after a reboot"
until_true 60 "the service is active" systemctl is-active --quiet audiencesync
until_true 60 "the emulator is" systemctl is-active --quiet emulator
evolve
until_true 150 "and a change upstream arrives on the schedule" as_the_truth
until_true 90 "and all is in sync" in_sync
history=$(as_user jane audiencesync history luma --format json | jq '.syncs[0].runs | length')
fine "the history is still there" test "$history" -gt 3

heading "upgrade"
before=$(main_pid)
dpkg-deb -R audiencesync_*.deb /tmp/newer
sed -i -E 's/^Version: .*/&+later/' /tmp/newer/DEBIAN/control
dpkg-deb -b /tmp/newer /tmp/audiencesync-later.deb >/dev/null
fine "a newer package installs" quietly apt-get -qq install -y --no-install-recommends /tmp/audiencesync-later.deb
until_true 40 "the service was started again" another_pid "$before"
fine "with its state" in_sync_or_working

heading "removal and purge"
fine "the package can be removed" quietly apt-get -qq remove -y audiencesync
refused "the service is gone" systemctl is-active --quiet audiencesync
fine "the state is kept" test -s /var/lib/audiencesync/state.db
fine "the package comes back" quietly apt-get -qq install -y --no-install-recommends /tmp/audiencesync-later.deb
until_true 60 "with its state" in_sync_or_working
fine "purge" quietly apt-get -qq purge -y audiencesync
refused "removes the state" test -e /var/lib/audiencesync
fine "and keeps what a person wrote" test -s /etc/audiencesync/audiencesync.yaml
