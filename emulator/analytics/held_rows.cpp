#include "emulator/analytics/held_rows.h"

#include "emulator/data/database.h"

namespace emulator {
namespace {

// Rows of a part are numbered below this, parts of all batches above.
constexpr const char* kPartFactor = "1099511627776";

std::string rows_with_person(const std::string& rows, const std::string& person, const std::string& container,
                             const RowRule& rule) {
  const std::string value =
      container.empty() ? "NULL" : "nullif(json_extract(doc, " + sql_text(container) + ")::VARCHAR, 'null')";
  return "(SELECT * FROM (SELECT seq, withdrawn, " + person + " AS person, " + value + " AS value FROM (" + rows +
         ")) WHERE coalesce(person, '') <> ''" + (rule.resurrect ? " AND NOT withdrawn" : "") + ")";
}

}  // namespace

std::string json_path(const std::string& dotted) {
  std::string path = "$";
  std::string name;
  for (const char c : dotted + ".") {
    if (c == '.') {
      path += ".\"" + name + "\"";
      name.clear();
    } else {
      name += c;
    }
  }
  return path;
}

std::string held_rows_sql(const std::vector<HeldBatch>& batches) {
  std::string sql;
  std::uint64_t part_number = 0;
  for (const HeldBatch& batch : batches)
    for (const auto& part : batch.parts)
      sql += (sql.empty() ? "" : " UNION ALL ") + std::string("SELECT ") + std::to_string(++part_number) + " * " +
             kPartFactor + "::BIGINT + file_row_number AS seq, " + (batch.withdrawn ? "true" : "false") +
             " AS withdrawn, to_json(r) AS doc FROM read_parquet(" + sql_text(part.string()) +
             ", file_row_number = true) r";
  return sql.empty() ? "SELECT 0::BIGINT AS seq, false AS withdrawn, NULL::JSON AS doc WHERE false" : sql;
}

std::string person_sql(const Json& data_set) {
  const auto text = [](const std::string& path) { return "json_extract_string(doc, " + sql_text(path) + ")"; };
  if (!data_set.value("identityMap", false)) return text(json_path(data_set["visitorId"]));
  if (!data_set.value("usePrimaryIdNamespace", false))
    return text(json_path("identityMap." + data_set["identityNamespace"].get<std::string>()) + "[0].\"id\"");
  // Of several primary identities the first in the order of the alphabet.
  return "list_min(list_transform(list_filter(flatten(json_transform(json_extract(doc, '$.\"identityMap\".*'), "
         "'[[{\"id\":\"VARCHAR\",\"primary\":\"BOOLEAN\"}]]')), x -> x.\"primary\"), x -> x.id))";
}

RowRule RowRule::of(const Settings& settings) {
  RowRule rule;
  if (settings.row_rule == "merge_fields") rule.kind = Kind::MergeFields;
  if (settings.row_rule == "accumulate") rule.kind = Kind::Accumulate;
  rule.resurrect = settings.delete_batch == "resurrect_previous";
  rule.empty_ignored = settings.empty_list == "ignored";
  return rule;
}

std::string current_values_sql(const RowRule& rule, const std::string& rows, const std::string& person,
                               const std::string& container) {
  const std::string source = rows_with_person(rows, person, container, rule);
  switch (rule.kind) {
    case RowRule::Kind::Accumulate:
      return "SELECT DISTINCT person, value FROM " + source + " WHERE NOT withdrawn AND value IS NOT NULL";
    case RowRule::Kind::MergeFields: {
      // Each field by itself: the newest row that says something about it.
      const std::string says = std::string("value IS NOT NULL") + (rule.empty_ignored ? " AND value <> '[]'" : "");
      return "SELECT person, last.v AS value FROM (SELECT person, arg_max({'v': value, 'w': withdrawn}, seq) AS last "
             "FROM " +
             source + " WHERE " + says + " GROUP BY person) WHERE NOT last.w";
    }
    case RowRule::Kind::ReplaceRecord:
      break;
  }
  // The newest record decides, even about what it does not mention.
  const std::string lists =
      rule.empty_ignored ? ", arg_max({'v': value, 'w': withdrawn}, seq) FILTER (value IS DISTINCT FROM '[]') AS last"
                         : ", arg_max({'v': value, 'w': withdrawn}, seq) AS last";
  return "SELECT person, last.v AS value FROM (SELECT person, arg_max(withdrawn, seq) AS gone" + lists + " FROM " +
         source + " GROUP BY person) WHERE NOT gone AND last IS NOT NULL AND NOT last.w AND last.v IS NOT NULL";
}

std::string current_people_sql(const RowRule& rule, const std::string& rows, const std::string& person) {
  const std::string source = rows_with_person(rows, person, "", rule);
  if (rule.kind == RowRule::Kind::ReplaceRecord)
    return "SELECT person FROM (SELECT person, arg_max(withdrawn, seq) AS gone FROM " + source +
           " GROUP BY person) WHERE NOT gone";
  return "SELECT DISTINCT person FROM " + source + " WHERE NOT withdrawn";
}

}  // namespace emulator
