# What both phases use; sourced by run.
# shellcheck shell=bash

checks=0
doing=beginning
emulator=http://127.0.0.1:8765

heading() { doing=$1; printf -- '-- %s\n' "$1"; }

# fine TEXT COMMAND...: the command must succeed.
fine() {
  local what=$1
  shift
  doing=$what
  "$@" || { echo "   not so: $what"; return 1; }
  checks=$((checks + 1))
  echo "   $what"
}
refused() {
  local what=$1
  shift
  doing=$what
  if "$@" >/tmp/refused 2>&1; then cat /tmp/refused; echo "   not so: $what"; return 1; fi
  checks=$((checks + 1))
  echo "   $what"
}

# until_true SECONDS TEXT COMMAND...: the command must succeed before the time is over; says how long it took.
until_true() {
  local limit=$1 what=$2 begin
  shift 2
  doing=$what
  begin=$(date +%s%N)
  until "$@" >/tmp/until 2>&1; do
    if [ $((($(date +%s%N) - begin) / 1000000000)) -ge "$limit" ]; then
      cat /tmp/until
      echo "   not within $limit s: $what"
      return 1
    fi
    sleep 0.2
  done
  checks=$((checks + 1))
  echo "   $what ($((($(date +%s%N) - begin) / 1000000)) ms)"
}

main_pid() { systemctl show -p MainPID --value audiencesync; }
another_pid() { [ "$(main_pid)" != 0 ] && [ "$(main_pid)" != "$1" ] && systemctl is-active --quiet audiencesync; }
as_user() { runuser -u "$1" -- "${@:2}"; }

# sync_status [-r] FILTER: what an operator sees of the sync, through jq.
sync_status() {
  local filter=${*: -1} raw=()
  [ $# = 1 ] || raw=(-r)
  as_user jane audiencesync status --format json | jq -e "${raw[@]}" ".syncs[] | select(.name == \"luma\") | $filter"
}
in_sync() { sync_status '.condition == "in_sync"'; }
in_sync_or_working() { sync_status '.condition == "in_sync" or .condition == "interrupted"'; }

# write_manifest N: with the first N audiences of the emulator.
write_manifest() {
  local ready=/var/lib/emulator/ready.json
  {
    echo "version: 1"
    echo "name: luma"
    echo "tenant: $(jq -r .tenant $ready)"
    echo "identity: { field: $(jq -r .identity_field $ready), namespace: Email }"
    echo 'schedule: { cron: "* * * * *", jitter: 0s }'
    echo "audiences:"
    jq -r ".audiences[:$1][] | \"  - { id: \\(.id), name: \\(.name | tojson) }\"" $ready
    echo "guard: { max_removals: 50%, min_people: 1 }"
  } >/etc/audiencesync/manifests.d/.luma.new
  mv /etc/audiencesync/manifests.d/.luma.new /etc/audiencesync/manifests.d/luma.yaml
}

# The first audience as the dataset has it and as the emulator's own data say.
as_the_truth() {
  local audience field
  audience=$(jq -r '.audiences[0].id' /var/lib/emulator/ready.json)
  field=$(jq -r .identity_field /var/lib/emulator/ready.json)
  curl -sf "$emulator/_emulator/truth?audience=$audience&field=$field" | jq -r 'if type == "object" then .id // .personID else . end' |
    sort >/tmp/truth
  as_user jane audiencesync members luma "$audience" --format ndjson 2>/dev/null | jq -r .personID | sort >/tmp/members
  [ -s /tmp/truth ] && cmp /tmp/truth /tmp/members
}
evolve() { curl -sf -X POST "$emulator/_emulator/evolve" -d "{\"churn\":0.05,\"seed\":$RANDOM}" >/dev/null; }
# slow_down MS: every answer about batches comes that much later; 0 ends it.
slow_down() {
  local faults="[]"
  [ "$1" = 0 ] || faults="[{\"method\":\"GET\",\"path\":\"/data/core/ups/export/jobs\",\"times\":100,\"action\":{\"delay_ms\":$1}}]"
  curl -sf -X PUT "$emulator/_emulator/faults" -d "$faults" >/dev/null
}
# The run that is at work, as the journal names it.
run_pid() {
  local pid
  pid=$(journalctl --no-pager -q -b -u audiencesync -o cat |
    sed -n 's/^run\.started .*pid=\([0-9]*\).*/\1/p' | tail -n 1)
  [ -n "$pid" ] && kill -0 "$pid" && echo "$pid"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
no_run_left() { ! run_pid; }
switches() { awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(main_pid)/status"; }
quietly() { "$@" >/tmp/quietly 2>&1 || { cat /tmp/quietly; return 1; }; }
