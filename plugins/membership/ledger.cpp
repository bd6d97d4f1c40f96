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
      if (platform::is_loading(batch) && written_here(batch)) verdict_.leftovers.push_back(batch.id);
      if (!platform::is_live(batch) || consolidates_ours(batch)) continue;
      if (TRY(joins(batch))) continue;
      verdict_.findings.push_back(
          {Severity::Refuse, "another-writer",
           fmt::format("batch {} in target dataset {} was not written by this sync ({}); two writers would overwrite "
                       "each other: {}",
                       batch.id, input_.dataset, who(batch), way_out(batch))});
    }
    for (const auto& [id, batch] : known_) {
      if (platform::is_live(batch)) verdict_.live.push_back(batch);
    }
    return verdict_;
  }

 private:
  bool written_here(const platform::Batch& batch) const {
    return tagged(batch, input_.uid_tag) && tagged(batch, input_.state_tag);
  }

  bool ours(const platform::Batch& batch) const {
    return tagged(batch, input_.uid_tag) && (input_.take_over || tagged(batch, input_.state_tag));
  }

  std::string way_out(const platform::Batch& batch) const {
    if (!tagged(batch, input_.uid_tag)) return "remove that batch, or give this sync a dataset of its own";
    return "if the other state folder is lost, take its batches over: audiencesync state rebuild SYNC --take-over; "
           "else run the sync there";
  }

  // Whether the rows of a batch that the log does not know are ours all the same, by its tags or by those of everything
  // it consolidated.
  Result<bool> joins(const platform::Batch& batch) {
    if (ours(batch)) {
      explained_.insert(batch.id);
      verdict_.unrecorded.push_back(batch);
      return true;
    }
    if (batch.predecessors.empty()) return false;
    std::vector<platform::Batch> found;
    for (const auto& id : batch.predecessors) {
      if (explained_.contains(id)) continue;
      auto predecessor = TRY(find(id));
      if (!predecessor) return false;
      found.push_back(std::move(*predecessor));
    }
    explained_.insert(batch.id);  // before its predecessors, which may name it in turn
    bool all = true;
    for (const auto& predecessor : found) all = TRY(joins(predecessor)) && all;
    if (!all) explained_.erase(batch.id);
    return all;
  }

  // Marks the batch and everything it was consolidated into; says so when its rows are nowhere.
  Result<void> follow(const BatchRecord& record) {
    std::string id = record.batch;
    std::set<std::string> passed;
    while (true) {
      explained_.insert(id);
      const auto batch = TRY(find(id));
      if (batch && platform::is_live(*batch)) return {};
      // Still being promoted elsewhere in the platform: nothing is lost yet.
      if (batch && !platform::is_terminal(*batch)) {
        verdict_.unsettled = id;
        return {};
      }
      if (!batch || batch->successor.empty() || !passed.insert(id).second) break;
      id = batch->successor;
    }
    if (record.superseded) return {};
    verdict_.damaged = true;
    verdict_.missing.push_back(record.batch);
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

Result<bool> rows_are_there(const LedgerInput& input, const std::string& batch) {
  std::string id = batch;
  for (std::set<std::string> passed; !id.empty() && passed.insert(id).second;) {
    const auto listed =
        std::find_if(input.seen.begin(), input.seen.end(), [&](const auto& each) { return each.id == id; });
    std::optional<platform::Batch> found;
    if (listed != input.seen.end()) {
      found = *listed;
    } else {
      found = TRY(input.lookup(id));
    }
    if (!found) return false;
    if (platform::is_live(*found)) return true;
    id = found->successor;
  }
  return false;
}

}  // namespace audiencesync
