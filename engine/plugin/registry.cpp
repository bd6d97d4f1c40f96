#include "engine/plugin/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace audiencesync {

Result<Registry> Registry::of(std::vector<StageDescriptor> stages) {
  std::set<std::string> names;
  for (const auto& stage : stages) {
    if (!names.insert(stage.name).second) {
      return Error(ErrorCode::Internal, fmt::format("two stages are called '{}'", stage.name));
    }
  }
  for (const auto& stage : stages) {
    for (const auto& need : stage.needs) {
      if (!names.contains(need)) {
        return Error(ErrorCode::Internal, fmt::format("stage '{}' needs '{}', which does not exist", stage.name, need));
      }
    }
  }
  Registry registry;
  std::set<std::string> placed;
  while (placed.size() < stages.size()) {
    // The first stage in the given order whose needs are met: the order is stable and so is every plan.
    const auto next = std::find_if(stages.begin(), stages.end(), [&](const StageDescriptor& stage) {
      return !placed.contains(stage.name) && std::all_of(stage.needs.begin(), stage.needs.end(),
                                                         [&](const auto& need) { return placed.contains(need); });
    });
    if (next == stages.end()) return Error(ErrorCode::Internal, "the stages need each other in a circle");
    for (const auto& need : next->needs) {
      if (registry.find(need)->phase > next->phase) {
        return Error(ErrorCode::Internal,
                     fmt::format("stage '{}' needs '{}', which is of a later phase", next->name, need));
      }
    }
    placed.insert(next->name);
    registry.stages_.push_back(*next);
  }
  return registry;
}

const StageDescriptor* Registry::find(std::string_view name) const {
  const auto found =
      std::find_if(stages_.begin(), stages_.end(), [&](const auto& stage) { return stage.name == name; });
  return found == stages_.end() ? nullptr : &*found;
}

}  // namespace audiencesync
