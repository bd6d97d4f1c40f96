#include "plugins/membership/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace audiencesync {
namespace {

bool tagged(const platform::Batch& batch, const std::string& tag) {
  const auto& tags = batch.tag("audiencesync");
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::string who(const platform::Batch& batch) {
  const auto& tags = batch.tag("audiencesync");
  if (!tags.empty()) return fmt::format("its tags say {}", fmt::join(tags, ", "));
  if (!batch.client.empty()) return fmt::format("created by client {}", batch.client);
  return "it has no tags of ours";
}

class Check {
 public:
  explicit Check(const LedgerInput& input) : input_(input) {
    for (const auto& batch : input.seen) known_[batch.id] = batch;
  }

  Result<LedgerVerdict> run() {
    for (const auto& record : input_.written) {
      if (record.dataset != input_.dataset) continue;
      TRY(follow(record));
    }
    for (const auto& batch : input_.seen) {
      if (explained_.contains(batch.id) && !swallowed_others(batch)) continue;
      if (input_.in_flight.contains(batch.external_id)) continue;
      const bool ours = tagged(batch, input_.uid_tag) && tagged(batch, input_.state_tag);
      if (platform::is_loading(batch) && ours) verdict_.leftovers.push_back(batch.id);
      if (!platform::is_live(batch) || consolidates_ours(batch)) continue;
      verdict_.findings.push_back(
          {Severity::Refuse, "another-writer",
           fmt::format("batch {} in target dataset {} was not written by this sync ({}); two writers would overwrite "
                       "each other: remove that batch, or give this sync a dataset of its own",
                       batch.id, input_.dataset, who(batch))});
    }
    return verdict_;
  }

 private:
  // Marks the batch and everything it was consolidated into; says so when its rows are nowhere.
  Result<void> follow(const BatchRecord& record) {
    std::string id = record.batch;
    std::set<std::string> passed;
    while (true) {
      explained_.insert(id);
      const auto batch = TRY(find(id));
      if (batch && platform::is_live(*batch)) return {};
      // Still being promoted elsewhere in the platform: nothing is lost yet.
      if (batch && !platform::is_terminal(*batch)) return {};
      if (!batch || batch->successor.empty() || !passed.insert(id).second) break;
      id = batch->successor;
    }
    if (record.superseded) return {};
    verdict_.damaged = true;
    verdict_.findings.push_back(
        {Severity::Warning, "drift",
         fmt::format("batch {} with {} records, written by this sync at generation {}, is no longer in dataset {}; "
                     "everyone is written again",
                     record.batch, record.records, record.generation, input_.dataset)});
    return {};
  }

  Result<std::optional<platform::Batch>> find(const std::string& id) {
    if (const auto found = known_.find(id); found != known_.end()) return std::optional(found->second);
    auto batch = TRY(input_.lookup(id));
    if (batch) known_[id] = *batch;
    return batch;
  }

  // A consolidation of ours that took over rows we did not write.
  bool swallowed_others(const platform::Batch& batch) const {
    return platform::is_live(batch) && !batch.predecessors.empty() && !consolidates_ours(batch);
  }

  // A consolidation names what it took over; all of that must be ours.
  bool consolidates_ours(const platform::Batch& batch) const {
    return !batch.predecessors.empty() && std::all_of(batch.predecessors.begin(), batch.predecessors.end(),
                                                      [&](const auto& id) { return explained_.contains(id); });
  }

  const LedgerInput& input_;
  LedgerVerdict verdict_;
  std::map<std::string, platform::Batch> known_;
  std::set<std::string> explained_;
};

}  // namespace

Result<LedgerVerdict> check_ledger(const LedgerInput& input) { return Check(input).run(); }

}  // namespace audiencesync
