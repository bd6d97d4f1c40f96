#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plugin/registry.h"

namespace audiencesync {

/// What one stage saw and what follows from it.
struct StageView {
  const StageDescriptor* stage = nullptr;
  Observed observed;
  std::vector<Change> changes;
};

/// Observes stages in order and compares: the reading half of the loop.
class Pass {
 public:
  /// `pinned_source`, `back_to`, `samples`: see ObserveRequest.
  Pass(const Registry& registry, const RunServices& services, std::optional<std::string> pinned_source = {},
       ReadBackWish read_back = ReadBackWish::IfNeeded, std::optional<std::int64_t> back_to = {},
       std::size_t samples = 0)
      : registry_(registry),
        services_(services),
        pinned_source_(std::move(pinned_source)),
        read_back_(read_back),
        back_to_(back_to),
        samples_(samples) {}

  /// Observes every stage of a phase, in the registry's order; their outputs join `outputs()`.
  /// Stops after a stage with a Refuse finding: what follows would be judged on a doubtful base.
  /// Errors carry the stage's name.
  Result<std::vector<StageView>> observe(Phase phase, std::optional<Time> not_before);
  Result<StageView> observe(const StageDescriptor& stage, std::optional<Time> not_before);

  /// The object of a stage, made when first asked for.
  Stage& stage(const StageDescriptor& descriptor);
  OutputTable& outputs() { return outputs_; }

 private:
  const Registry& registry_;
  const RunServices& services_;
  std::optional<std::string> pinned_source_;
  ReadBackWish read_back_;
  std::optional<std::int64_t> back_to_;
  std::size_t samples_;
  OutputTable outputs_;
  std::map<std::string, std::unique_ptr<Stage>> stages_;
};

/// Replaces every Ref whose output is known by its value.
Fields resolve(const Fields& fields, const OutputTable& outputs);

bool refuses(const Observed& observed);

}  // namespace audiencesync
