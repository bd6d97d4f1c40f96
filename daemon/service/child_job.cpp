#include "daemon/service/child_job.h"

namespace audiencesync {
namespace {

using Texts = std::map<std::string, std::string>;

Value texts_value(const Texts& texts) {
  Value::Object object;
  for (const auto& [path, text] : texts) object.emplace(path, text);
  return object;
}

Texts texts_of_value(const Value* value) {
  Texts texts;
  const auto* object = value == nullptr ? nullptr : value->object_if();
  if (object == nullptr) return texts;
  for (const auto& [path, text] : *object) {
    if (const auto* found = text.string_if()) texts.emplace(path, *found);
  }
  return texts;
}

}  // namespace

Value ChildJob::to_value() const {
  Value::Array list;
  for (const auto& manifest : manifests) {
    list.push_back(Value::Object{{"file", manifest.file}, {"texts", texts_value(manifest.texts)}});
  }
  Value::Array command;
  for (const auto& word : words) command.push_back(word);
  return Value::Object{{"kind", kind == Kind::Run ? "run" : "command"},
                       {"user", user},
                       {"cause", cause},
                       {"config", config},
                       {"settings", texts_value(settings)},
                       {"state", state},
                       {"manifests", std::move(list)},
                       {"commit", commit},
                       {"words", std::move(command)},
                       {"files", texts_value(files)},
                       {"facts", facts}};
}

Result<ChildJob> ChildJob::from_value(const Value& value) {
  const auto kind = value.text("kind");
  if (kind != "run" && kind != "command") {
    return Error(ErrorCode::Corrupt, "what the daemon wrote for its child is no job; this is a bug");
  }
  ChildJob job;
  job.kind = kind == "run" ? Kind::Run : Kind::Command;
  job.user = value.text("user");
  job.cause = value.text("cause");
  job.config = value.text("config");
  job.settings = texts_of_value(value.find("settings"));
  job.files = texts_of_value(value.find("files"));
  job.state = value.text("state");
  job.commit = value.text("commit");
  for (const auto& each : value.items("manifests")) {
    job.manifests.push_back({each.text("file"), texts_of_value(each.find("texts"))});
  }
  for (const auto& word : value.items("words")) {
    if (const auto* text = word.string_if()) job.words.push_back(*text);
  }
  if (const auto* facts = value.find("facts")) job.facts = *facts;
  return job;
}

}  // namespace audiencesync
