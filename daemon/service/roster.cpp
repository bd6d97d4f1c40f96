#include "daemon/service/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/base/digest.h"

namespace audiencesync {
namespace {

constexpr const char* kAgenda = "agenda";

// Windows reveal only so much of their future.
constexpr std::chrono::hours kLookAgain{24};

}  // namespace

void Roster::warn(const std::string& sync, const Error& error, const char* next) {
  events_.warn("sync.trouble", {{"sync", sync}, {"error", error.text()}, {"next", next}});
}

void Roster::accept(const ManifestSet& set, Moment now) {
  std::set<std::string> there;
  for (const auto& manifest : set.manifests) {
    const auto& uid = manifest.manifest.uid;
    there.insert(uid);
    const auto found = entries_.find(uid);
    if (found == entries_.end()) {
      add(manifest, now);
    } else if (found->second.removed || !(found->second.manifest == manifest)) {
      change(found->second, manifest, now);
    }
  }
  const auto rejected = [&](const Entry& entry) {
    return std::any_of(set.rejected.begin(), set.rejected.end(),
                       [&](const RejectedManifest& each) { return each.file == entry.manifest.file(); });
  };
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (there.contains(entry->first) || rejected(entry->second)) {
      ++entry;
      continue;
    }
    if (!entry->second.removed) {
      events_.warn("sync.removed", {{"sync", entry->second.manifest.manifest.name},
                                    {"uid", entry->first},
                                    {"next", "it does not run any more; nothing of it is deleted"}});
    }
    entry->second.removed = true;
    entry = entry->second.agenda.running() ? std::next(entry) : entries_.erase(entry);
  }
}

void Roster::add(const LoadedManifest& manifest, Moment now) {
  const auto& uid = manifest.manifest.uid;
  Value memory;
  if (auto remembered = store_.remembered(uid, kAgenda); remembered.ok()) {
    memory = std::move(remembered).take();
  } else {
    warn(uid, remembered.error(), "its schedule counts from now on");
  }
  auto agenda = Agenda::make(manifest.manifest, memory, back_off_, now);
  if (!agenda.ok()) return warn(uid, agenda.error(), "it does not run");
  const auto [place, fresh] = entries_.emplace(uid, Entry{manifest, std::move(agenda).take()});
  want_if_defined_anew(place->second);
  read_decision(place->second, now);
  keep(place->second);
  events_.emit("sync.accepted", {{"sync", manifest.manifest.name}, {"uid", uid}, {"file", manifest.file()}});
}

void Roster::change(Entry& entry, const LoadedManifest& manifest, Moment now) {
  // A run that is going on keeps the manifest it began with: it has it already.
  if (const auto changed = entry.agenda.change(manifest.manifest, now); !changed.ok()) {
    return warn(manifest.manifest.uid, changed.error(), "it goes on as it was");
  }
  entry.manifest = manifest;
  entry.removed = false;
  want_if_defined_anew(entry);
  keep(entry);
  events_.emit("sync.changed", {{"sync", manifest.manifest.name}, {"file", manifest.file()}});
}

// Who commits a change wants to see its plan, not the one of tomorrow. Without a schedule nothing runs by itself.
void Roster::want_if_defined_anew(Entry& entry) {
  const auto& manifest = entry.manifest.manifest;
  if (!manifest.schedule) return;
  const auto last = store_.last_run(manifest.uid);
  if (!last.ok()) return warn(manifest.uid, last.error(), "it runs when it is due");
  if (!last->has_value() || (*last)->definition != digest_of(manifest.canonical())) {
    entry.agenda.want(Cause::Definition);
  }
}

void Roster::read_decision(Entry& entry, Moment now) {
  const auto& uid = entry.manifest.manifest.uid;
  const auto suspensions = store_.suspensions(uid, 1);
  if (!suspensions.ok()) return warn(uid, suspensions.error(), "whether it is suspended stays as it was known");
  std::optional<Pause> pause;
  if (!suspensions->empty() && suspensions->front().holds(now.wall)) pause = Pause{suspensions->front().until};
  entry.agenda.pause(pause);
  const auto plans = store_.held_plans(uid, 1);
  if (!plans.ok()) return warn(uid, plans.error(), "an approval counts when it is due");
  if (plans->empty() || entry.agenda.running()) return;
  const auto& plan = plans->front();
  if (plan.state != HoldState::Approved || now.wall >= plan.until || plan.id == entry.approved_plan) return;
  entry.approved_plan = plan.id;
  entry.agenda.want(Cause::Approval);
}

void Roster::read_decisions(Moment now) {
  for (auto& [uid, entry] : entries_) read_decision(entry, now);
}

Result<std::string> Roster::want(const std::string& name_or_uid, Moment now) {
  auto found = entries_.find(name_or_uid);
  if (found == entries_.end()) {
    found = std::find_if(entries_.begin(), entries_.end(),
                         [&](const auto& each) { return each.second.manifest.manifest.name == name_or_uid; });
  }
  if (found == entries_.end()) {
    std::vector<std::string> known;
    for (const auto& [uid, entry] : entries_) known.push_back(entry.manifest.manifest.name);
    return Error(ErrorCode::NotFound, fmt::format("there is no sync '{}'; the daemon has {}", name_or_uid,
                                                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  auto& entry = found->second;
  const auto& name = entry.manifest.manifest.name;
  if (entry.agenda.paused(now.wall)) {
    return Error(ErrorCode::Refused,
                 fmt::format("{} is suspended; end that first: audiencesync resume {}", name, name));
  }
  entry.agenda.want(Cause::Person);
  keep(entry);
  return name;
}

std::vector<NextRun> Roster::next(Moment now, std::size_t count) {
  struct Ready {
    NextRun run;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Ready> ready;
  for (auto& [uid, entry] : entries_) {
    if (entry.removed) continue;
    const auto turn = entry.agenda.turn(now);
    if (turn.ready) ready.push_back({{uid, turn.cause}, turn.since});
  }
  std::stable_sort(ready.begin(), ready.end(),
                   [](const Ready& left, const Ready& right) { return left.since < right.since; });
  if (ready.size() > count) ready.resize(count);
  std::vector<NextRun> runs;
  for (auto& each : ready) runs.push_back(std::move(each.run));
  return runs;
}

Roster::Alarm Roster::alarm(Moment now) {
  Alarm alarm;
  for (auto& [uid, entry] : entries_) {
    const auto turn = entry.agenda.turn(now);
    if (turn.again && (!alarm.wall || *turn.again < *alarm.wall)) alarm.wall = turn.again;
    if (turn.again_steady && (!alarm.steady || *turn.again_steady < *alarm.steady)) alarm.steady = turn.again_steady;
  }
  if (!entries_.empty() && (!alarm.wall || *alarm.wall > now.wall + kLookAgain)) alarm.wall = now.wall + kLookAgain;
  return alarm;
}

void Roster::begin(const std::string& uid, Moment now) {
  const auto found = entries_.find(uid);
  if (found != entries_.end()) found->second.agenda.begin(now);
}

void Roster::end(const std::string& uid, ExitCode code, Moment now, double spread) {
  const auto found = entries_.find(uid);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  entry.agenda.end(code, now, spread);
  read_decision(entry, now);
  keep(entry);
  if (entry.removed) entries_.erase(found);
}

void Roster::keep(const Entry& entry) {
  const auto& uid = entry.manifest.manifest.uid;
  if (const auto kept = store_.remember(uid, kAgenda, entry.agenda.memory()); !kept.ok()) {
    warn(uid, kept.error(), "after a restart its schedule is as it was last kept");
  }
}

}  // namespace audiencesync
