#include <fmt/format.h>

#include "engine/plugin/context.h"

namespace audiencesync {

void OutputTable::put(const std::string& stage, const Outputs& outputs) {
  for (const auto& [name, value] : outputs) outputs_[stage][name] = value;
}

Result<Value> OutputTable::get(const Ref& ref) const {
  if (const auto stage = outputs_.find(ref.stage); stage != outputs_.end()) {
    if (const auto found = stage->second.find(ref.output); found != stage->second.end()) return found->second;
  }
  return Error(ErrorCode::NotFound, fmt::format("{} of stage {} is known after apply", ref.output, ref.stage));
}

}  // namespace audiencesync
