#include "engine/model/change_fields.h"

namespace audiencesync {

const Value* field_of(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  return found == change.after.end() ? nullptr : std::get_if<Value>(&found->second);
}

std::string field_text(const Change& change, std::string_view name) {
  const auto* value = field_of(change, name);
  const auto* text = value == nullptr ? nullptr : value->string_if();
  return text == nullptr ? std::string{} : *text;
}

bool field_flag(const Change& change, std::string_view name) {
  const auto* value = field_of(change, name);
  const auto* flag = value == nullptr ? nullptr : value->bool_if();
  return flag != nullptr && *flag;
}

std::set<std::string> field_ids(const Change& change, std::string_view name) {
  std::set<std::string> ids;
  const auto* value = field_of(change, name);
  const auto* list = value == nullptr ? nullptr : value->array_if();
  if (list == nullptr) return ids;
  for (const auto& each : *list) {
    if (const auto* text = each.string_if()) ids.insert(*text);
  }
  return ids;
}

}  // namespace audiencesync
