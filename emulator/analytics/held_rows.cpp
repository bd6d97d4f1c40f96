#include "emulator/analytics/held_rows.h"

#include "emulator/data/database.h"

namespace emulator {
namespace {

// Rows of a part are numbered below this, parts of all batches above.
constexpr const char* kPartFactor = "1099511627776";

std::string rows_with_person(const std::string& rows, const std::string& person, const RowRule& rule) {
  return "(SELECT * FROM (SELECT *, " + person + " AS person FROM (" + rows + ")) WHERE coalesce(person, '') <> ''" +
         (rule.resurrect ? " AND NOT withdrawn" : "") + ")";
}

/// The column of a row `r` that a JSON path names.
std::string column_of(const std::string& container) { return "r" + container.substr(1); }

std::string absent(const WantedField& field) {
  return field.as == WantedField::As::Time ? "NULL::TIMESTAMP" : "NULL::VARCHAR";
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

bool HeldRows::has_field(Connection& session, const std::string& part, const std::string& container) {
  {
    const std::lock_guard guard(mutex_);
    const auto fields = known_.find(part);
    if (fields != known_.end()) {
      const auto field = fields->second.find(container);
      if (field != fields->second.end()) return field->second;
    }
  }
  bool has = true;
  try {
    session.run("SELECT " + column_of(container) + " FROM read_parquet(" + sql_text(part) + ") r LIMIT 0");
  } catch (const DatabaseError&) {
    if (!std::filesystem::exists(part)) throw;  // removed meanwhile: the caller looks at the batches again
    has = false;
  }
  const std::lock_guard guard(mutex_);
  known_[part][container] = has;
  return has;
}

std::string HeldRows::sql(const std::vector<HeldBatch>& batches, const std::vector<WantedField>& fields) {
  Connection session(database_);
  std::string sql;
  std::uint64_t part_number = 0;
  for (const HeldBatch& batch : batches)
    for (const auto& part : batch.parts) {
      sql += (sql.empty() ? "" : " UNION ALL ") + std::string("SELECT ") + std::to_string(++part_number) + " * " +
             kPartFactor + "::BIGINT + file_row_number AS seq, " + (batch.withdrawn ? "true" : "false") +
             " AS withdrawn";
      for (const WantedField& field : fields) {
        const std::string column = column_of(field.container);
        std::string value = absent(field);
        if (has_field(session, part.string(), field.container)) {
          if (field.as == WantedField::As::Text) value = column + "::VARCHAR";
          if (field.as == WantedField::As::Time) value = column + "::TIMESTAMP";
          if (field.as == WantedField::As::Document)
            value = "CASE WHEN " + column + " IS NOT NULL THEN to_json(" + column + ")::VARCHAR END";
        }
        sql += ", " + value + " AS " + sql_name(field.name);
      }
      sql += " FROM read_parquet(" + sql_text(part.string()) + ", file_row_number = true) r";
    }
  if (!sql.empty()) return sql;
  sql = "SELECT 0::BIGINT AS seq, false AS withdrawn";
  for (const WantedField& field : fields) sql += ", " + absent(field) + " AS " + sql_name(field.name);
  return sql + " WHERE false";
}

WantedField person_field(const Json& data_set) {
  if (data_set.value("identityMap", false)) return {"person_field", "$.\"identityMap\"", WantedField::As::Document};
  return {"person_field", json_path(data_set["visitorId"]), WantedField::As::Text};
}

std::string person_sql(const Json& data_set) {
  if (!data_set.value("identityMap", false)) return "person_field";
  if (!data_set.value("usePrimaryIdNamespace", false))
    return "json_extract_string(person_field, " + sql_text(json_path(data_set["identityNamespace"]) + "[0].\"id\"") +
           ")";
  // Of several primary identities the first in the order of the alphabet.
  return "list_min(list_transform(list_filter(flatten(json_transform(json_extract(person_field::JSON, '$.*'), "
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

std::string current_values_sql(const RowRule& rule, const std::string& rows, const std::string& person) {
  const std::string source = rows_with_person(rows, person, rule);
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
  const std::string source = rows_with_person(rows, person, rule);
  if (rule.kind == RowRule::Kind::ReplaceRecord)
    return "SELECT person FROM (SELECT person, arg_max(withdrawn, seq) AS gone FROM " + source +
           " GROUP BY person) WHERE NOT gone";
  return "SELECT DISTINCT person FROM " + source + " WHERE NOT withdrawn";
}

}  // namespace emulator
