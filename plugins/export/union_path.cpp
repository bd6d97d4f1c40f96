#include "plugins/export/union_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace audiencesync {
namespace {

constexpr std::size_t kMostNames = 8;
constexpr int kDeepestSchema = 40;  // guards against a schema that refers to itself

/// Edits that turn one name into the other.
std::size_t distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const auto substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[right.size()];
}

/// Members of an object schema, its `allOf` parts included.
void collect_members(const Value& schema, std::map<std::string, const Value*>& members, int depth) {
  if (depth > kDeepestSchema) return;
  if (const auto* properties = schema.find("properties"); properties != nullptr && properties->is_object())
    for (const auto& [name, value] : *properties->object_if()) members.emplace(name, &value);
  for (const auto& part : schema.items("allOf")) collect_members(part, members, depth + 1);
}

std::map<std::string, const Value*> members_of(const Value& schema) {
  std::map<std::string, const Value*> members;
  collect_members(schema, members, 0);
  return members;
}

std::string type_of(const Value& schema) {
  const auto type = schema.text("type");
  if (!type.empty()) return type;
  if (schema.find("properties") != nullptr) return "object";
  return schema.text("meta:xdmType");
}

std::string names_near(const std::map<std::string, const Value*>& members, const std::string& wanted) {
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& [name, schema] : members) ranked.emplace_back(distance(name, wanted), name);
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (const auto& [edits, name] : ranked)
    if (names.size() < kMostNames) names.push_back(name);
  if (names.empty()) return "it has no members";
  return fmt::format("nearest members: {}", fmt::join(names, ", "));
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::optional<std::string> path_problem(const Value& union_schema, const std::string& path) {
  auto members = members_of(union_schema);
  if (members.empty())
    return "the profile union schema is empty: no schema of this sandbox takes part in Real-Time Customer Profile, so "
           "there is nothing to export";
  const Value* schema = &union_schema;
  std::string walked;
  for (const auto& part : parts_of(path)) {
    const auto found = members.find(part);
    if (found == members.end()) {
      const auto where = walked.empty()
                             ? std::string("the profile union schema has no field")
                             : fmt::format("'{}' exists in the profile union schema, but has no member", walked);
      return fmt::format("{} '{}'; {}", where, part, names_near(members, part));
    }
    walked += (walked.empty() ? "" : ".") + part;
    schema = found->second;
    members = members_of(*schema);
    if (type_of(*schema) == "array")
      return fmt::format("'{}' is a list in the profile union schema; a person id must be one text per profile",
                         walked);
  }
  const auto type = type_of(*schema);
  if (type == "string") return {};
  if (type == "object")
    return fmt::format("'{}' is an object in the profile union schema, not a text; {}", walked,
                       names_near(members, ""));
  return fmt::format("'{}' is of type {} in the profile union schema, not a text", walked,
                     type.empty() ? "unknown" : type);
}

}  // namespace audiencesync
