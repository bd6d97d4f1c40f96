#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/reconcile/run_world.h"

namespace audiencesync {

/// The slice of a platform one stage owns, and what its stage does about it. Shared by all objects of the stage, as a
/// platform is.
struct Slice {
  std::map<std::string, std::string> objects;  // by name: their value
  std::vector<Finding> findings;
  std::map<std::string, Value> remember;
  std::optional<Bulk> pending;        // of the object "people"
  std::vector<std::string> told;      // what was applied: "create a=1"
  std::vector<std::string> steps;     // calls that were made inside `once`
  std::vector<Result<void>> answers;  // of the first applies; then all succeed
  std::vector<std::optional<Time>> not_before;
  bool forgetful = false;              // applying has no effect: it never converges
  std::function<void()> when_applied;  // something else happens meanwhile
};

/// A stage over a slice: one field `value` an object.
class ScriptedStage final : public Stage {
 public:
  explicit ScriptedStage(Slice& slice) : slice_(slice) {}

  Result<Observed> observe(const ObserveRequest& request, ReadContext&) override {
    slice_.not_before.push_back(request.not_before);
    Observed observed;
    const auto stage = request.desired.empty() ? std::string("things") : request.desired.front().key.stage;
    for (const auto& [name, value] : slice_.objects) {
      Resource seen{{stage, name}, {{"value", Value(value)}}, "v1", {}};
      if (name == "people") seen.pending = slice_.pending;
      observed.resources.push_back(std::move(seen));
      observed.outputs[name] = Value(value);
    }
    observed.findings = slice_.findings;
    observed.remember = slice_.remember;
    return observed;
  }

  Result<Applied> apply(const Change& change, WriteContext& context) override {
    std::string text = std::string(to_string(change.action)) + " " + change.key.name;
    std::string value;
    if (const auto field = change.after.find("value"); field != change.after.end()) {
      value = *std::get<Value>(field->second).string_if();
      text += "=" + value;
    }
    const auto index = slice_.told.size();
    slice_.told.push_back(text);
    if (slice_.when_applied) slice_.when_applied();
    if (index < slice_.answers.size() && !slice_.answers[index].ok()) return slice_.answers[index].error();
    TRY(context.once({"write", ""}, {}, [&](http::WriteClient&, const Attempt&) -> Result<Value> {
      slice_.steps.push_back(change.key.name);
      if (!slice_.forgetful) {
        if (change.action == Action::Delete) {
          slice_.objects.erase(change.key.name);
        } else {
          slice_.objects[change.key.name] = value;
          if (change.bulk) slice_.pending.reset();
        }
      }
      return Value(value);
    }));
    Applied applied;
    applied.outputs[change.key.name] = Value(value);
    return applied;
  }

 private:
  Slice& slice_;
};

/// Wants these objects of a slice.
inline StageDescriptor stage_over(const std::string& name, Phase phase, Slice& slice,
                                  std::vector<std::pair<std::string, Field>> wanted,
                                  std::vector<std::string> needs = {}) {
  StageDescriptor made;
  made.name = name;
  made.phase = phase;
  made.needs = std::move(needs);
  made.desire = [name, wanted](const Manifest&) {
    std::vector<Resource> desired;
    for (const auto& [key, value] : wanted) desired.push_back({{name, key}, {{"value", value}}, "", {}});
    return desired;
  };
  made.make = [&slice] { return std::unique_ptr<Stage>(std::make_unique<ScriptedStage>(slice)); };
  return made;
}

}  // namespace audiencesync
