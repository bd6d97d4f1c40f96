#include "plugins/membership/forgetting.h"

#include <set>

#include "plugins/membership/past.h"

namespace audiencesync {
namespace {

constexpr const char* kMustErase = "must_erase";

// What is true stays, with the way back from it.
Result<std::set<Digest>> files_to_keep(const Store& store, const std::string& relation) {
  std::set<Digest> keep;
  const auto snapshots = TRY(store.past_snapshots(relation, kAllSnapshots));
  for (const auto& snapshot : snapshots) keep.insert(snapshot.record.delta);
  if (!snapshots.empty()) keep.insert(snapshots.front().record.content);
  keep.erase("");
  return keep;
}

}  // namespace

Result<void> keep_out(Store& store, const SyncPlace& place, const Forgotten& people) {
  // In this order: a list in force whose people nobody erases would be worse than looking for nobody.
  if (!people.empty()) TRY(store.remember(place.uid, kMustErase, true));
  return store.remember(place.uid, kForgotten, people.to_value());
}

Result<bool> must_erase(const Records& records, const SyncPlace& place) {
  const auto kept = TRY(records.remembered(place.uid, kMustErase));
  return !kept.is_null();
}

Result<Erased> erase_forgotten(Memberships& memberships, Store& store, Files& files, const SyncPlace& place,
                               std::stop_token stop) {
  Erased erased;
  const auto people = Forgotten::from_value(TRY(store.remembered(place.uid, kForgotten)));
  if (!people.empty()) {
    TRY(erase_history(memberships, store, place.relation, people, stop));
    auto quarantine = TRY(store.quarantine(place.relation));
    erased.quarantined =
        std::erase_if(quarantine, [&](const QuarantineRecord& record) { return people.contains(record.person); });
    if (erased.quarantined > 0) TRY(store.replace_quarantine(place.relation, quarantine));
  }
  erased.unfinished = !TRY(store.open_changes(place.uid)).empty();
  if (erased.unfinished) return erased;
  TRY(files.remove(place.work));
  TRY(files.make_folder(place.work));
  const auto keep = TRY(files_to_keep(store, place.relation));
  TRY(memberships.clean(keep));
  TRY(store.remember(place.uid, kMustErase, Value()));
  return erased;
}

}  // namespace audiencesync
