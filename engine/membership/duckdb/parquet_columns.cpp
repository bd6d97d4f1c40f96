#include "engine/membership/duckdb/parquet_columns.h"

#include <algorithm>

namespace audiencesync {
namespace {

using Kind = ParquetType::Kind;

// The types that stand below the keys of a map or the members of a struct; empty for anything else.
std::vector<const ParquetType*> keyed_types(const ParquetType& type) {
  std::vector<const ParquetType*> types;
  if (type.kind == Kind::Map && type.children[0].kind == Kind::Text) types.push_back(&type.children[1]);
  if (type.kind == Kind::Struct) {
    for (const auto& member : type.children) types.push_back(&member);
  }
  return types;
}

template <class Check>
bool all_keyed(const ParquetType& type, Check check) {
  const auto types = keyed_types(type);
  return !types.empty() && std::all_of(types.begin(), types.end(), [&](const auto* each) { return check(*each); });
}

bool has_text(const ParquetType& type, std::string_view member) {
  return type.kind == Kind::Struct && std::any_of(type.children.begin(), type.children.end(), [&](const auto& child) {
           return is_named(child.name, member) && child.kind == Kind::Text;
         });
}

}  // namespace

bool is_named(std::string_view name, std::string_view wanted) {
  constexpr std::string_view kPrefix = "xdm:";
  if (name.substr(0, kPrefix.size()) == kPrefix) name.remove_prefix(kPrefix.size());
  return name == wanted;
}

std::optional<ParquetPath> find_path(const std::vector<ParquetType>& columns, std::string_view path) {
  for (const auto& column : columns) {
    if (column.name == path) return ParquetPath{{column.name}, column.kind};
    if (column.kind != Kind::Struct || path.size() <= column.name.size() + 1) continue;
    if (path.substr(0, column.name.size()) != column.name || path[column.name.size()] != '.') continue;
    auto below = find_path(column.children, path.substr(column.name.size() + 1));
    if (!below) continue;
    below->names.insert(below->names.begin(), column.name);
    return below;
  }
  return std::nullopt;
}

const ParquetType* find_column(const std::vector<ParquetType>& columns, std::string_view name) {
  for (const auto& column : columns) {
    if (is_named(column.name, name)) return &column;
  }
  return nullptr;
}

std::string column_names(const std::vector<ParquetType>& columns) {
  std::string names;
  for (const auto& column : columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

bool is_membership_type(const ParquetType& type) {
  return all_keyed(type, [](const ParquetType& audiences) {
    return all_keyed(audiences, [](const ParquetType& membership) {
      return membership.kind == Kind::Text || has_text(membership, "status");
    });
  });
}

bool is_identity_map_type(const ParquetType& type) {
  return all_keyed(type, [](const ParquetType& identities) {
    return identities.kind == Kind::List && has_text(identities.children[0], "id");
  });
}

}  // namespace audiencesync
