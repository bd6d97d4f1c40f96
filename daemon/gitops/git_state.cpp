#include <algorithm>

#include "daemon/gitops/git_checkout.h"

namespace audiencesync {
namespace {

Value lines_value(const std::vector<std::string>& lines) {
  Value::Array array(lines.begin(), lines.end());
  return array;
}

std::vector<std::string> lines_from(const Value* value) {
  std::vector<std::string> lines;
  if (value == nullptr || value->array_if() == nullptr) return lines;
  for (const auto& each : *value->array_if()) {
    if (const auto* line = each.string_if()) lines.push_back(*line);
  }
  return lines;
}

Result<Time> time_from(const Value& value, const char* key) {
  const auto time = parse_time(value.text(key));
  if (time) return *time;
  return Error(ErrorCode::Corrupt, std::string("the state of the branch has no ") + key);
}

}  // namespace

Value GitState::to_value() const {
  Value value = Value::Object{{"version", 1}, {"commit", commit}, {"branch", branch},
                              {"path", path}, {"signer", signer}, {"warnings", lines_value(warnings)}};
  if (refused) {
    value["refused"] = Value::Object{{"commit", refused->commit},
                                     {"since", to_iso8601(refused->since)},
                                     {"problems", lines_value(refused->problems)}};
  }
  if (unreached) value["unreached"] = Value::Object{{"since", to_iso8601(unreached->since)}, {"why", unreached->why}};
  if (rewritten) {
    value["rewritten"] =
        Value::Object{{"from", rewritten->from}, {"to", rewritten->to}, {"at", to_iso8601(rewritten->at)}};
  }
  if (looked) value["looked"] = to_iso8601(*looked);
  return value;
}

Result<GitState> GitState::from_value(const Value& value) {
  if (value.object_if() == nullptr) return Error(ErrorCode::Corrupt, "the state of the branch is no object");
  GitState state;
  state.commit = value.text("commit");
  state.branch = value.text("branch");
  state.path = value.text("path");
  state.signer = value.text("signer");
  state.warnings = lines_from(value.find("warnings"));
  if (const auto* refused = value.find("refused")) {
    const auto since = TRY(time_from(*refused, "since"));
    state.refused = Refusal{refused->text("commit"), since, lines_from(refused->find("problems"))};
  }
  if (const auto* unreached = value.find("unreached")) {
    const auto since = TRY(time_from(*unreached, "since"));
    state.unreached = Unreached{since, unreached->text("why")};
  }
  if (const auto* rewritten = value.find("rewritten")) {
    const auto at = TRY(time_from(*rewritten, "at"));
    state.rewritten = Rewritten{rewritten->text("from"), rewritten->text("to"), at};
  }
  if (value.find("looked") != nullptr) state.looked = TRY(time_from(value, "looked"));
  return state;
}

}  // namespace audiencesync
