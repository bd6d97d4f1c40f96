#include "emulator/analytics/held_people.h"

#include <memory>

#include "emulator/analytics/fields.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

/// How a schema writes memberships: as a list of objects, or one in a row.
struct MembershipFields {
  enum class Layout { None, List, Single };
  Layout layout = Layout::None;
  std::string list;  // JSON paths
  std::string id;
  std::string name;
};

constexpr const char* kMembershipId = "audienceMembershipId";
constexpr const char* kMembershipName = "audienceMembershipName";

/// Looks through a resolved schema; the list is preferred, because schemas may carry the fields of all layouts.
void find_memberships(const Json& node, const std::string& path, MembershipFields& found) {
  if (!node.contains("properties")) return;
  for (const auto& [name, field] : node["properties"].items()) {
    const std::string here = path + ".\"" + name + "\"";
    const bool list = field.value("type", "") == "array" && field.contains("items");
    if (list && field["items"].value("properties", Json::object()).contains(kMembershipId)) {
      found.layout = MembershipFields::Layout::List;
      found.list = here;
      continue;
    }
    if (name == kMembershipId && found.layout == MembershipFields::Layout::None) {
      found.layout = MembershipFields::Layout::Single;
      found.id = here;
      found.name = path + ".\"" + kMembershipName + "\"";
    }
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
  std::string entries;
  if (fields.layout == MembershipFields::Layout::List) {
    entries = "SELECT person, json_extract_string(one, '$." + std::string(kMembershipId) +
              "') AS id, json_extract_string(one, '$." + kMembershipName +
              "') AS name FROM (SELECT person, unnest(json_extract(value, '$[*]')) AS one FROM " + values(fields.list) +
              ")";
  } else {
    // Under a rule that keeps several rows the two values of a row cannot be told apart afterwards; the id decides.
    entries =
        "SELECT i.person, json_extract_string(i.value, '$') AS id, json_extract_string(n.value, '$') AS name FROM " +
        values(fields.id) + " i LEFT JOIN (SELECT person, min(value) AS value FROM " + values(fields.name) +
        " GROUP BY person) n USING (person)";
  }
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
                 if (data_set["type"] != "profile" || fields.layout == MembershipFields::Layout::None)
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
