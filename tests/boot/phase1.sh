# The first boot: install, run, crash, freeze. Sourced by run.
# shellcheck shell=bash

heading "install"
fine "the packages install without a network" quietly apt-get -qq install -y --no-install-recommends /opt/boot/audiencesync_*.deb \
  /opt/boot/audiencesync-duckdb_*.deb /opt/boot/audiencesync-emulator_*.deb
fine "the service is enabled" systemctl is-enabled --quiet audiencesync
refused "it does not run before there are settings" systemctl is-active --quiet audiencesync
refused "and that is no failure" systemctl is-failed --quiet audiencesync
systemd-analyze security --threshold=15 --no-pager audiencesync >/tmp/exposure ||
  { tail -n 1 /tmp/exposure; doing="exposure above 1.5"; false; }
echo "   $(tail -n 1 /tmp/exposure | tr -d '→')"

heading "set up"
install -m 644 emulator.service /etc/systemd/system/emulator.service
systemctl daemon-reload
fine "the emulator starts" systemctl enable --quiet --now emulator
until_true 30 "and has written its settings" test -s /var/lib/emulator/settings/audiencesync.yaml
for user in jane mallory; do adduser --quiet --disabled-password --gecos '' "$user"; done
adduser --quiet jane audiencesync
sed -e 's#^state:.*#state: /var/lib/audiencesync#' -e 's#^manifests:.*#manifests: { folder: /etc/audiencesync/manifests.d }#' \
  -e 's#^timing: {#timing: { deadline_run: 20s, approval_ttl: 1h,#' /var/lib/emulator/settings/audiencesync.yaml \
  >/etc/audiencesync/audiencesync.yaml
install -m 600 /var/lib/emulator/settings/credentials/adobe /etc/audiencesync/credentials/adobe
write_manifest 1
fine "settings and manifest are valid" audiencesync validate --settings /etc/audiencesync/manifests.d/luma.yaml
# A watchdog that waits a minute would make this test wait too.
mkdir -p /etc/systemd/system/audiencesync.service.d
printf '[Service]\nWatchdogSec=8s\n' >/etc/systemd/system/audiencesync.service.d/quick.conf
systemctl daemon-reload

heading "the service, and who may use it"
fine "it starts and says that it is ready" systemctl start audiencesync
until_true 90 "on its schedule it plans, and waits for an approval" sync_status '.condition == "waits_for_approval"'
digest=$(sync_status -r '.held_plan.digest' | cut -c1-12)
refused "another user cannot look" as_user mallory audiencesync status
refused "another user cannot approve" as_user mallory audiencesync approve "$digest" --reason "because"
fine "an operator approves" as_user jane audiencesync approve "$digest" --reason "first load"
until_true 90 "it is applied, and a person is told what only they can do" sync_status '.condition == "waits_for_person"'
curl -sf -X POST "$emulator/_emulator/person" -d "{\"do\":\"add_dataset_to_connection\",\"connection\":\"$(
  jq -r .connection /var/lib/emulator/ready.json)\",\"dataset\":\"$(sync_status -r '.proven.dataset')\"}" >/dev/null
until_true 90 "the next run sees that they did it" in_sync
fine "everybody in the audience has arrived" as_the_truth
fine "the journal knows the sync" sh -c 'journalctl --no-pager -q SYNC=luma | grep -q .'
fine "the audit log knows who approved" sh -c 'journalctl --no-pager -q -u audiencesync | grep -q jane'
refused "nobody but the service reads the state" as_user jane ls /var/lib/audiencesync

heading "on its schedule"
evolve
until_true 130 "a change upstream arrives by itself" as_the_truth

heading "a manifest is edited"
write_manifest 2
until_true 60 "the changed definition is planned and waits" sync_status '.condition == "waits_for_approval"'
fine "an operator approves" as_user jane audiencesync approve "$(sync_status -r '.held_plan.digest' | cut -c1-12)" \
  --reason "one more audience"
until_true 90 "and it is there" in_sync
echo 'nonsense: [' >>/etc/audiencesync/manifests.d/luma.yaml
sleep 2
fine "a broken manifest changes nothing but what is said" sh -c \
  'journalctl --no-pager -q -u audiencesync | grep -q "luma.yaml"'
write_manifest 2

heading "kill -9"
before=$(main_pid)
kill -9 "$before"
until_true 30 "the supervisor is back after kill -9" another_pid "$before"
evolve
slow_down 3000
as_user jane audiencesync run-now luma
until_true 30 "a run is at work" run_pid
kill -9 "$(run_pid)"
slow_down 0
until_true 120 "what it left is finished by the next run" as_the_truth
until_true 90 "and all is in sync" in_sync

heading "freezes"
before=$(main_pid)
kill -STOP "$before"
until_true 40 "a frozen supervisor is killed by the watchdog and started again" another_pid "$before"
evolve
slow_down 3000
as_user jane audiencesync run-now luma
until_true 30 "a run is at work" run_pid
frozen=$(run_pid)
kill -STOP "$frozen"
slow_down 0
until_true 60 "a frozen run is ended by its deadline" gone "$frozen"
until_true 130 "and what it left is finished" as_the_truth
until_true 90 "and all is in sync" in_sync

heading "a credential is exchanged"
before=$(main_pid)
install -m 600 /var/lib/emulator/settings/credentials/adobe /etc/audiencesync/credentials/adobe.new
mv /etc/audiencesync/credentials/adobe.new /etc/audiencesync/credentials/adobe
until_true 40 "the service gets it without anybody's doing" another_pid "$before"

heading "reload, stop"
fine "a reload is taken" systemctl reload audiencesync
cp /etc/audiencesync/audiencesync.yaml /root/good.yaml
echo 'nonsense: 1' >>/etc/audiencesync/audiencesync.yaml
refused "settings with a mistake are refused" systemctl reload audiencesync
fine "and the service goes on" systemctl is-active --quiet audiencesync
cp /root/good.yaml /etc/audiencesync/audiencesync.yaml
evolve
slow_down 3000
as_user jane audiencesync run-now luma
until_true 30 "a run is at work" run_pid
begin=$(date +%s%N)
fine "it stops" systemctl stop audiencesync
took=$((($(date +%s%N) - begin) / 1000000))
echo "   stopped in $took ms"
fine "in less than 10 s" test "$took" -lt 10000
slow_down 0

heading "idle"
sed -i 's/"\* \* \* \* \*"/"@yearly"/' /etc/audiencesync/manifests.d/luma.yaml
fine "it starts again" systemctl start audiencesync
until_true 90 "and finishes what was interrupted" no_run_left
idle_begin=$(switches)
sleep 20
echo "   wake-ups in 20 s with a watchdog of 8 s: $(($(switches) - idle_begin))"
echo "   resident: $(awk '/^VmRSS/ { print $2, $3 }' "/proc/$(main_pid)/status")"
fine "less than 25 MB" test "$(awk '/^VmRSS/ { print $2 }' "/proc/$(main_pid)/status")" -lt 25600
write_manifest 2
