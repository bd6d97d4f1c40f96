#include "emulator/analytics/held_people.h"

#include <memory>

#include "emulator/analytics/fields.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

/// Where a schema may have memberships. Records fill one of these ways, schemas have the fields of all.
struct MembershipFields {
  struct Single {
    std::string id;    // JSON paths
    std::string name;  // "" when the schema has none
  };
  std::vector<std::string> lists;    // of objects
  std::vector<Single> singles;       // one membership in a row
  std::vector<std::string> strings;  // ids, separated by commas

  bool none() const { return lists.empty() && singles.empty() && strings.empty(); }
};

constexpr const char* kMembershipId = "audienceMembershipId";
constexpr const char* kMembershipName = "audienceMembershipName";
constexpr const char* kMembershipIds = "audienceMembershipIds";

/// Looks through a resolved schema.
void find_memberships(const Json& node, const std::string& path, MembershipFields& found) {
  if (!node.contains("properties")) return;
  const Json& fields = node["properties"];
  for (const auto& [name, field] : fields.items()) {
    const std::string here = path + ".\"" + name + "\"";
    const bool list = field.value("type", "") == "array" && field.contains("items");
    if (list && field["items"].value("properties", Json::object()).contains(kMembershipId)) {
      found.lists.push_back(here);
      continue;
    }
    if (name == kMembershipId)
      found.singles.push_back(
          {here, fields.contains(kMembershipName) ? path + ".\"" + kMembershipName + "\"" : std::string()});
    if (name == kMembershipIds) found.strings.push_back(here);
    if (field.value("type", "") == "object") find_memberships(field, here, found);
  }
}

std::string people_sql(const RowRule& rule, HeldRows& rows, const std::vector<HeldBatch>& batches, const Json& data_set,
                       const MembershipFields& fields) {
  const std::string person = person_sql(data_set);
  const auto values = [&](const std::string& container) {
    return "(" +
           current_values_sql(
               rule, rows.sql(batches, {person_field(data_set), {"value", container, WantedField::As::Document}}),
               person) +
           ")";
  };
  const std::string everybody =
      "(" + current_people_sql(rule, rows.sql(batches, {person_field(data_set)}), person) + ")";
  std::string entries = "SELECT NULL::VARCHAR AS person, NULL::VARCHAR AS id, NULL::VARCHAR AS name WHERE false";
  for (const std::string& list : fields.lists)
    entries += " UNION ALL SELECT person, json_extract_string(one, '$." + std::string(kMembershipId) +
               "') AS id, json_extract_string(one, '$." + kMembershipName +
               "') AS name FROM (SELECT person, unnest(json_extract(value, '$[*]')) AS one FROM " + values(list) + ")";
  for (const MembershipFields::Single& single : fields.singles) {
    // Under a rule that keeps several rows the two values of a row cannot be told apart afterwards; the id decides.
    entries += " UNION ALL SELECT i.person, json_extract_string(i.value, '$') AS id, ";
    entries += single.name.empty() ? "NULL::VARCHAR AS name FROM " + values(single.id) + " i"
                                   : "json_extract_string(n.value, '$') AS name FROM " + values(single.id) +
                                         " i LEFT JOIN (SELECT person, min(value) AS value FROM " +
                                         values(single.name) + " GROUP BY person) n USING (person)";
  }
  for (const std::string& text : fields.strings)
    entries +=
        " UNION ALL SELECT person, unnest(string_split(json_extract_string(value, '$'), ',')) AS id, NULL::VARCHAR AS "
        "name FROM " +
        values(text);
  return "SELECT to_json({'person': p.person, 'audiences': coalesce(a.audiences, [])})::VARCHAR FROM " + everybody +
         " p LEFT JOIN (SELECT person, list({'id': id, 'name': name} ORDER BY id, name) AS audiences FROM (SELECT "
         "DISTINCT * FROM (" +
         entries + ") WHERE coalesce(id, '') <> '') GROUP BY person) a USING (person) ORDER BY p.person";
}

}  // namespace

void add_held_people(Router& router, Platform& platform, Lake& lake, World& world, HeldRows& rows) {
  router.add("GET", "/_emulator/analytics/{connection}", checked([&](const Request& request) {
               const auto dataset = request.query_value("dataset");
               if (!dataset) throw control_failure("analytics: 'dataset' is required");
               Json data_set;
               RowRule rule;
               std::vector<HeldBatch> batches;
               MembershipFields fields;
               {
                 const auto lock = platform.objects.lock();
                 const Json* connection = find_connection(platform, request.parameter("connection"));
                 if (connection == nullptr)
                   throw control_failure("analytics: there is no connection '" + request.parameter("connection") + "'");
                 const Json* found = find_data_set(*connection, *dataset);
                 if (found == nullptr)
                   throw control_failure("analytics: the connection does not hold data set '" + *dataset + "'");
                 data_set = *found;
                 const auto schema = schema_of_dataset(platform, *dataset);
                 if (schema) find_memberships(*schema, "$", fields);
                 if (data_set["type"] != "profile" || fields.none())
                   throw control_failure("analytics: data set '" + *dataset + "' holds no memberships of people");
                 rule = RowRule::of(platform.settings);
                 const bool now = request.query_value("now").value_or("false") == "true";
                 batches = held_batches(platform, lake, data_set, now ? Delays::Ignore : Delays::Wait);
               }
               // Shared only because a std::function must be copyable.
               const auto cursor =
                   std::make_shared<TextCursor>(world.database(), people_sql(rule, rows, batches, data_set, fields));
               Response response;
               response.headers["content-type"] = "application/x-ndjson";
               response.stream = [cursor] {
                 std::string out;
                 bool more = true;
                 while (out.empty() && more)
                   more = cursor->next([&](std::string_view person) {
                     out += person;
                     out += '\n';
                   });
                 return out;
               };
               return response;
             }),
             {.body = BodyMode::Memory, .gate = Gate::Open});
}

}  // namespace emulator
