#include "engine/model/change.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

constexpr std::array<std::pair<Action, const char*>, 6> kActions{{{Action::Create, "create"},
                                                                  {Action::Update, "update"},
                                                                  {Action::Delete, "delete"},
                                                                  {Action::Run, "run"},
                                                                  {Action::Ingest, "ingest"},
                                                                  {Action::Person, "person"}}};

Value field_to_value(const Field& field) {
  if (const auto* ref = std::get_if<Ref>(&field)) {
    return Value::Object{{"output", ref->output}, {"stage", ref->stage}, {"known", "after apply"}};
  }
  return Value::Object{{"value", std::get<Value>(field)}};
}

Field field_from_value(const Value& value) {
  if (const auto* known = value.find("value")) return *known;
  return Ref{value.text("stage"), value.text("output")};
}

Value counts(const AudienceDelta& delta) {
  Value::Object out{{"id", delta.id},       {"name", delta.name},       {"before", delta.before},
                    {"after", delta.after}, {"entered", delta.entered}, {"left", delta.left}};
  if (delta.renamed > 0) {
    out["renamed"] = delta.renamed;
    out["name_before"] = delta.name_before;
  }
  return out;
}

std::uint64_t count(const Value& value, std::string_view key) {
  return static_cast<std::uint64_t>(value.number(key).value_or(0));
}

}  // namespace

const char* to_string(Action action) {
  for (const auto& [each, text] : kActions) {
    if (each == action) return text;
  }
  return "unknown";
}

std::optional<Action> action_from(std::string_view text) {
  for (const auto& [action, name] : kActions) {
    if (text == name) return action;
  }
  return std::nullopt;
}

void DroppedRows::keep(DroppedSample sample) {
  samples.insert(std::lower_bound(samples.begin(), samples.end(), sample), std::move(sample));
  if (samples.size() > kMostDroppedSamples) samples.pop_back();
}

void DroppedRows::add(const DroppedRows& other) {
  read += other.read;
  without_person += other.without_person;
  over_long += other.over_long;
  not_utf8 += other.not_utf8;
  unknown_status += other.unknown_status;
  broken += other.broken;
  for (const auto& sample : other.samples) keep(sample);
}

Value Bulk::to_value() const {
  Value::Array deltas;
  for (const auto& delta : audiences) deltas.push_back(counts(delta));
  Value::Object unusable{{"read", dropped.read},
                         {"without_person", dropped.without_person},
                         {"over_long", dropped.over_long},
                         {"not_utf8", dropped.not_utf8},
                         {"unknown_status", dropped.unknown_status}};
  if (dropped.broken > 0) unusable["broken"] = dropped.broken;
  Value::Array samples;
  for (const auto& sample : dropped.samples) {
    samples.push_back(Value::Object{{"file", sample.file},
                                    {"position", sample.position},
                                    {"unit", sample.unit},
                                    {"reason", sample.reason},
                                    {"person", sample.person}});
  }
  if (!samples.empty()) unusable["samples"] = std::move(samples);
  Value::Object out{{"relation", relation},
                    {"source", source},
                    {"base", base},
                    {"content", content},
                    {"candidate", candidate},
                    {"people", people},
                    {"added", added},
                    {"removed", removed},
                    {"bytes", bytes},
                    {"audiences", std::move(deltas)},
                    {"dropped", std::move(unusable)}};
  if (left_out.people > 0) {
    out["left_out"] = Value::Object{{"people", left_out.people}, {"memberships", left_out.memberships}};
  }
  if (forgotten.people > 0) {
    out["forgotten"] = Value::Object{{"people", forgotten.people}, {"memberships", forgotten.memberships}};
  }
  // Left out where they say nothing new: plans of earlier versions keep their digest.
  if (records != people) out["records"] = records;
  if (crowded > 0) out["crowded"] = crowded;
  return out;
}

Result<Bulk> Bulk::from_value(const Value& value) {
  if (!value.is_object() || value.text("content").empty()) {
    return Error(ErrorCode::Corrupt, "a stored bulk change has no content digest");
  }
  Bulk bulk;
  bulk.relation = value.text("relation");
  bulk.source = value.text("source");
  bulk.base = value.text("base");
  bulk.content = value.text("content");
  bulk.candidate = value.text("candidate");
  bulk.people = count(value, "people");
  bulk.added = count(value, "added");
  bulk.removed = count(value, "removed");
  bulk.records = value.find("records") == nullptr ? bulk.people : count(value, "records");
  bulk.bytes = count(value, "bytes");
  bulk.crowded = count(value, "crowded");
  for (const auto& item : value.items("audiences")) {
    bulk.audiences.push_back({item.text("id"), item.text("name"), count(item, "before"), count(item, "after"),
                              count(item, "entered"), count(item, "left"), count(item, "renamed"),
                              item.text("name_before")});
  }
  if (const auto* dropped = value.find("dropped")) {
    bulk.dropped = {count(*dropped, "read"),     count(*dropped, "without_person"), count(*dropped, "over_long"),
                    count(*dropped, "not_utf8"), count(*dropped, "unknown_status"), count(*dropped, "broken")};
    for (const auto& item : dropped->items("samples")) {
      bulk.dropped.samples.push_back(
          {item.text("file"), count(item, "position"), item.text("unit"), item.text("reason"), item.text("person")});
    }
  }
  if (const auto* left_out = value.find("left_out")) {
    bulk.left_out = {count(*left_out, "people"), count(*left_out, "memberships")};
  }
  if (const auto* forgotten = value.find("forgotten")) {
    bulk.forgotten = {count(*forgotten, "people"), count(*forgotten, "memberships")};
  }
  return bulk;
}

Value Change::to_value() const {
  Value::Object fields;
  for (const auto& [name, field] : after) fields[name] = field_to_value(field);
  Value::Object out{{"stage", key.stage},         {"name", key.name}, {"action", to_string(action)},
                    {"after", std::move(fields)}, {"reason", reason}, {"expected_version", expected_version}};
  if (bulk) out["bulk"] = bulk->to_value();
  if (!steps.empty()) out["steps"] = Value::Array(steps.begin(), steps.end());
  return out;
}

Result<Change> Change::from_value(const Value& value) {
  Change change;
  change.key = {value.text("stage"), value.text("name")};
  const auto action = action_from(value.text("action"));
  if (!action || change.key.stage.empty()) {
    return Error(ErrorCode::Corrupt, fmt::format("a stored change has action '{}'", value.text("action")));
  }
  change.action = *action;
  if (const auto* after = value.find("after"); after != nullptr && after->is_object()) {
    for (const auto& [name, field] : *after->object_if()) change.after[name] = field_from_value(field);
  }
  change.reason = value.text("reason");
  change.expected_version = value.text("expected_version");
  if (const auto* bulk = value.find("bulk")) change.bulk = TRY(Bulk::from_value(*bulk));
  if (const auto* steps = value.find("steps"); steps != nullptr && steps->is_array()) {
    for (const auto& step : *steps->array_if())
      if (const auto* text = step.string_if()) change.steps.push_back(*text);
  }
  return change;
}

Value Proof::to_value() const {
  Value::Array people;
  for (const auto& fingerprint : quarantined) people.push_back(fingerprint);
  return Value::Object{{"version", version},
                       {"batch", batch},
                       {"generation", generation},
                       {"records", records},
                       {"quarantined", std::move(people)}};
}

}  // namespace audiencesync
