#include "emulator/data/profile_fields.h"

#include <algorithm>
#include <map>
#include <memory>

namespace emulator {
namespace {

struct Node {
  std::string sql;  // of a leaf
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;

  Node& member(const std::string& name) {
    for (auto& [known, node] : members)
      if (known == name) return *node;
    members.emplace_back(name, std::make_unique<Node>());
    return *members.back().second;
  }
};

std::vector<std::string> split_on(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

std::string without_blanks(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string node_sql(const Node& node) {
  if (node.members.empty()) return node.sql;
  std::string out;
  for (const auto& [name, member] : node.members)
    out += (out.empty() ? "" : ", ") + sql_name(name) + " := " + node_sql(*member);
  return "struct_pack(" + out + ")";
}

std::string identity_map_sql() {
  const std::string type = "MAP(VARCHAR, STRUCT(id VARCHAR, \"authenticatedState\" VARCHAR, \"primary\" BOOLEAN)[])";
  const auto entry = [](const std::string& space, const std::string& column, const std::string& primary) {
    return "{'k': '" + space + "', 'v': CASE WHEN " + column + " IS NOT NULL THEN [{'id': " + column +
           ", 'authenticatedState': 'ambiguous', 'primary': " + primary + "}] END}";
  };
  return "CASE WHEN identities IS NOT NULL THEN identities::JSON::" + type + " ELSE map_from_entries(list_filter([" +
         entry("Email", "person", "true") + ", " + entry("ECID", "ecid", "false") +
         "], e -> e.v IS NOT NULL))::" + type + " END";
}

std::string segment_membership_sql(const Vocabulary& words) {
  std::vector<std::string> spaces;
  std::string audiences;
  std::string statuses;
  for (const MembershipKey& key : words.keys) {
    if (std::find(spaces.begin(), spaces.end(), key.space) == spaces.end()) spaces.push_back(key.space);
    audiences += (audiences.empty() ? "" : ", ") + sql_text(key.audience);
  }
  for (const std::string& word : words.statuses) statuses += (statuses.empty() ? "" : ", ") + sql_text(word);
  std::string entries;
  for (const std::string& space : spaces) {
    std::string list = "memberships";
    if (spaces.size() > 1) {
      std::string keys;
      for (std::size_t i = 0; i < words.keys.size(); ++i)
        if (words.keys[i].space == space) keys += (keys.empty() ? "" : ", ") + std::to_string(i);
      list = "list_filter(memberships, x -> x.a IN (" + keys + "))";
    }
    entries += (entries.empty() ? "" : ", ") + std::string("{'k': ") + sql_text(space) +
               ", 'v': map_from_entries(list_transform(" + list + ", x -> {'k': [" + audiences +
               "][x.a + 1], 'v': {'status': [" + statuses + "][x.s + 1], 'lastQualificationTime': x.t}}))}";
  }
  if (entries.empty())
    return "NULL::MAP(VARCHAR, MAP(VARCHAR, STRUCT(status VARCHAR, \"lastQualificationTime\" TIMESTAMP)))";
  return "map_from_entries(list_filter([" + entries + "], e -> cardinality(e.v) > 0))";
}

}  // namespace

std::vector<ProfileField> profile_fields(const Identity& identity) {
  const std::string core = identity.tenant + ".identification.core.";
  std::vector<ProfileField> fields{{identity.identity_field, "person"}};
  const auto add = [&](std::string path, std::string sql) {
    const bool taken = std::any_of(fields.begin(), fields.end(), [&](const ProfileField& f) { return f.path == path; });
    if (!taken) fields.push_back({std::move(path), std::move(sql)});
  };
  add(core + "email", "person");
  add(core + "ecid", "ecid");
  add(core + "phoneNumber", "phone");
  add(identity.tenant + ".loyalty.tier", "tier");
  add("person.name.firstName", "first_name");
  add("person.name.lastName", "last_name");
  add("_id", "md5('profile ' || profile_id)");
  return fields;
}

Projection project(const Identity& identity, const Vocabulary& vocabulary, const std::string& fields) {
  std::vector<ProfileField> known = profile_fields(identity);
  known.push_back({"identityMap", identity_map_sql()});
  known.push_back({"segmentMembership", segment_membership_sql(vocabulary)});

  Projection projection;
  Node root;
  const auto take = [&](const ProfileField& field) {
    Node* node = &root;
    for (const std::string& part : split_on(field.path, '.')) node = &node->member(part);
    node->sql = field.sql;
  };
  if (without_blanks(fields).empty()) {
    for (const ProfileField& field : known) take(field);
  } else {
    for (const std::string& written : split_on(fields, ',')) {
      const std::string path = without_blanks(written);
      bool found = false;
      for (const ProfileField& field : known) {
        const bool map = field.path == "identityMap" || field.path == "segmentMembership";
        if (path == field.path || field.path.starts_with(path + ".") || (map && path.starts_with(field.path + "."))) {
          take(field);
          found = true;
        }
      }
      if (!found && !projection.unknown) projection.unknown = path;
    }
  }
  for (const auto& [name, node] : root.members)
    projection.select += (projection.select.empty() ? "" : ", ") + node_sql(*node) + " AS " + sql_name(name);
  return projection;
}

}  // namespace emulator
