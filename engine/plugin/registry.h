#pragma once

#include <vector>

#include "engine/plugin/stage.h"

namespace audiencesync {

/// The stages of this program in an order in which each comes after those it needs.
class Registry {
 public:
  /// Errors: Internal for two stages of one name, an unknown need, a cycle, or a need in a later phase.
  static Result<Registry> of(std::vector<StageDescriptor> stages);

  const std::vector<StageDescriptor>& stages() const { return stages_; }
  const StageDescriptor* find(std::string_view name) const;

 private:
  std::vector<StageDescriptor> stages_;
};

}  // namespace audiencesync
