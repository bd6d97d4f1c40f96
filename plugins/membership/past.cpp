#include "plugins/membership/past.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace audiencesync {
namespace {

// Whether the state before a snapshot is the one after `older`, and can be reached.
bool leads_to(const PastSnapshot& newer, const PastSnapshot& older) {
  return !newer.record.delta.empty() && newer.previous == older.id;
}

}  // namespace

Result<std::optional<WayBack>> way_back(const std::vector<PastSnapshot>& snapshots, std::int64_t run) {
  WayBack way;
  bool erased = false;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const auto& snapshot = snapshots[i];
    if (i == 0) way.ref.current = snapshot.record.content;
    if (snapshot.run <= run) {
      way.snapshot = snapshot;
      if (!erased) way.ref.expected = snapshot.record.content;
      return std::optional(std::move(way));
    }
    const bool last = i + 1 == snapshots.size();
    if (last) break;  // nothing was proven before the first one
    if (snapshot.record.content == snapshots[i + 1].record.content && !snapshot.record.erased) continue;
    if (!leads_to(snapshot, snapshots[i + 1])) {
      return Error(ErrorCode::NotFound,
                   fmt::format("the memberships after run {} are not kept any more: the history goes back to run {} "
                               "(retention in the manifest says for how long); audiencesync history lists the runs",
                               run, snapshot.run));
    }
    way.ref.deltas.push_back(snapshot.record.delta);
    erased = erased || snapshot.record.erased;
  }
  return std::optional<WayBack>();
}

KeptHistory kept_history(const std::vector<PastSnapshot>& snapshots, const Retention& retention, Time now,
                         const std::function<std::optional<std::uint64_t>(const Digest&)>& bytes) {
  KeptHistory kept;
  std::uint64_t total = 0;
  std::uint64_t count = 0;
  std::size_t end = 0;  // the first snapshot whose delta is not kept
  for (; end < snapshots.size(); ++end) {
    const auto& record = snapshots[end].record;
    if (record.delta.empty()) {
      // Where a step is missing nothing before it can be reached, unless it changed nothing.
      const bool same = end + 1 < snapshots.size() && snapshots[end + 1].record.content == record.content;
      if (!same) break;
      continue;
    }
    const auto size = bytes(record.delta);
    if (!size) kept.missing = record.delta;
    total += size.value_or(0);
    ++count;
    // A delta leads back to what was current until this snapshot was proven.
    const bool too_old = record.proven <= now - retention.history;
    if (!size || too_old || count > retention.generations || total > retention.size) break;
    kept.deltas.insert(record.delta);
  }
  const auto useless = std::find_if(snapshots.begin() + static_cast<std::ptrdiff_t>(end), snapshots.end(),
                                    [](const PastSnapshot& past) { return !past.record.delta.empty(); });
  if (useless != snapshots.end()) kept.drop_through = useless->id;
  return kept;
}

Result<void> erase_history(Memberships& memberships, Store& store, const std::string& relation, const Forgotten& people,
                           std::stop_token stop) {
  std::map<Digest, Digest> changed;
  std::int64_t unreadable = 0;
  const auto snapshots = TRY(store.past_snapshots(relation, kAllSnapshots));
  for (const auto& snapshot : snapshots) {
    const auto& delta = snapshot.record.delta;
    if (delta.empty() || changed.contains(delta)) continue;
    auto erased = memberships.erase(delta, people, stop);
    if (erased.ok()) {
      if (*erased != delta) changed.emplace(delta, std::move(erased).take());
      continue;
    }
    const auto code = erased.error().code();
    if (code == ErrorCode::Interrupted || code == ErrorCode::NoSpace || code == ErrorCode::Io) {
      return std::move(erased).error();
    }
    unreadable = snapshot.id;
    break;
  }
  if (unreadable != 0) TRY(store.drop_deltas(relation, unreadable));
  if (changed.empty()) return {};
  return store.replace_deltas(relation, changed);
}

}  // namespace audiencesync
