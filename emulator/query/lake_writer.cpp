#include "emulator/query/lake_writer.h"

#include <algorithm>
#include <filesystem>

#include "emulator/ingestion/row_rules.h"
#include "emulator/query/sql_tokens.h"
#include "emulator/query/sql_translator.h"
#include "emulator/registry/descriptors.h"
#include "emulator/registry/resources.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kDatasetPath = "/data/foundation/catalog/dataSets";

/// A column as XDM has it.
Json xdm_of(const SqlType& type) {
  switch (type.kind) {
    case SqlType::Kind::Boolean:
      return {{"type", "boolean"}, {"meta:xdmType", "boolean"}};
    case SqlType::Kind::Integer:
      return {{"type", "integer"}, {"meta:xdmType", "int"}};
    case SqlType::Kind::Long:
      return {{"type", "integer"}, {"meta:xdmType", "long"}};
    case SqlType::Kind::Double:
    case SqlType::Kind::Decimal:
      return {{"type", "number"}, {"meta:xdmType", "double"}};
    case SqlType::Kind::Date:
      return {{"type", "string"}, {"format", "date"}, {"meta:xdmType", "date"}};
    case SqlType::Kind::Timestamp:
      return {{"type", "string"}, {"format", "date-time"}, {"meta:xdmType", "date-time"}};
    case SqlType::Kind::Struct: {
      Json object{{"type", "object"}, {"meta:xdmType", "object"}, {"properties", Json::object()}};
      for (const auto& [name, member] : type.members) object["properties"][name] = xdm_of(member);
      return object;
    }
    case SqlType::Kind::Map:
      return {{"type", "object"}, {"meta:xdmType", "map"}, {"additionalProperties", xdm_of(*type.element())}};
    case SqlType::Kind::List:
      return {{"type", "array"}, {"meta:xdmType", "array"}, {"items", xdm_of(*type.element())}};
    default:
      return {{"type", "string"}, {"meta:xdmType", "string"}};
  }
}

bool is_number(const SqlType& type) {
  using ValueKind = SqlType::Kind;
  return type.kind == ValueKind::Integer || type.kind == ValueKind::Long || type.kind == ValueKind::Double ||
         type.kind == ValueKind::Decimal;
}

/// Throws unless every field of the source has its place in the target.
void check_fit(const SqlType& source, const SqlType& target, const std::string& path) {
  if (source.kind == SqlType::Kind::Null || target.kind == SqlType::Kind::JsonText) return;
  const auto refuse = [&](const std::string& why) { throw SqlFailure("42804", "the column " + path + " " + why); };
  if (source.kind == SqlType::Kind::Struct && target.kind == SqlType::Kind::Struct) {
    for (const auto& [name, member] : source.members) {
      const SqlType* of = target.field(name);
      if (of == nullptr) refuse("has a field '" + name + "', and the schema has none of that name");
      check_fit(member, *of, path + "." + name);
    }
    return;
  }
  if (source.nested() || target.nested()) {
    if (source.kind != target.kind) refuse("is " + source.sql + ", and the schema wants " + target.sql);
    return check_fit(*source.element(), *target.element(), path + "[]");
  }
  const bool fits = source.kind == target.kind || (is_number(source) && is_number(target)) ||
                    target.kind == SqlType::Kind::Text ||
                    (source.kind == SqlType::Kind::Date && target.kind == SqlType::Kind::Timestamp);
  if (!fits) refuse("is " + source.sql + ", and the schema wants " + target.sql);
}

}  // namespace

Response LakeWriter::call(const std::string& method, const std::string& path, const Json& body) const {
  Request request;
  request.method = method;
  request.target = request.path = path;
  request.headers["content-type"] = "application/json";
  request.body = body.dump();
  request.body_bytes = request.body.size();
  const Router::Match match = router_.match(method, path);
  if (match.handler == nullptr) throw SqlFailure("58000", "the catalog does not answer");
  request.parameters = match.parameters;
  try {
    return (*match.handler)(request);
  } catch (const HttpError& error) {
    const Json answer = Json::parse(error.response.body, nullptr, false);
    throw SqlFailure("58000", "the catalog refuses: " + (answer.is_object() ? answer.value("detail", "") : ""));
  }
}

std::string LakeWriter::schema_titled(const std::string& title) const {
  const auto lock = platform_.objects.lock();
  for (const Json& schema : resources_in(platform_, "tenant", "schemas"))
    if (schema.value("title", "") == title) return schema["$id"];
  throw SqlFailure("42704", "there is no schema with the title '" + title + "'");
}

std::string LakeWriter::ad_hoc_schema(const std::string& table, const std::vector<SqlColumn>& columns) {
  const auto lock = platform_.objects.lock();
  const std::string id = "https://ns.adobe.com/" + platform_.identity.tenant.substr(1) + "/schemas/" +
                         platform_.new_id("schemas") + platform_.new_id("schemas");
  const std::int64_t now = platform_.clock.now_ms();
  Json properties = Json::object();
  for (const SqlColumn& column : columns) {
    properties[column.name] = xdm_of(column.type);
    properties[column.name]["title"] = column.name;
  }
  platform_.objects.put(kResourceKind, id,
                        {{"$id", id},
                         {"meta:altId", alt_id_of(id)},
                         {"meta:resourceType", "schemas"},
                         {"version", "1.0"},
                         {"title", table + " (ad hoc " + id.substr(id.size() - 8) + ")"},
                         {"description", "Made by Query Service"},
                         {"type", "object"},
                         {"meta:xdmType", "object"},
                         {"meta:containerId", "tenant"},
                         {"meta:tenantNamespace", platform_.identity.tenant},
                         {"meta:class", "https://ns.adobe.com/xdm/data/adhoc"},
                         {"meta:extends", Json::array({"https://ns.adobe.com/xdm/data/adhoc"})},
                         {"imsOrg", platform_.identity.organization},
                         {"properties", std::move(properties)},
                         {"meta:registryMetadata", {{"repo:createdDate", now}, {"repo:lastModifiedDate", now}}}});
  return id;
}

std::string LakeWriter::create(const std::string& table, const std::string& schema_title,
                               const std::string& description, const std::string& query, SqlConnection& connection) {
  std::vector<SqlColumn> columns;
  try {
    columns = connection.describe(query);
  } catch (const DatabaseError& error) {
    throw engine_failure(error.what());
  }
  const std::string schema = schema_title.empty() ? ad_hoc_schema(table, columns) : schema_titled(schema_title);
  Json body{{"name", sql_lower(table)}, {"schemaRef", {{"id", schema}}}};
  if (!description.empty()) body["description"] = description;
  const Response made = call("POST", kDatasetPath, body);
  const std::string reference = Json::parse(made.body).front();
  const std::string id = reference.substr(reference.rfind('/') + 1);
  const auto lock = platform_.objects.lock();
  if (const Json* found = platform_.objects.find("dataset", id)) {
    Json dataset = *found;
    dataset["_emulator"]["by"] = "query";
    platform_.objects.put("dataset", id, std::move(dataset));
  }
  return id;
}

void LakeWriter::check_rows(const LakeTable& table, const std::string& file, SqlConnection& connection) const {
  std::optional<Json> schema;
  {
    const auto lock = platform_.objects.lock();
    schema = resolved_schema(platform_, table.schema);
  }
  if (!schema) return;
  const RowRules rules(*schema);
  simdjson::dom::parser parser;
  std::uint64_t number = 0;
  const auto reading = connection.open("SELECT json_merge_patch('{}'::JSON, to_json(r))::VARCHAR FROM read_parquet(" +
                                       sql_text(file) + ") r");
  for (std::vector<Cell> row; reading->next(row);) {
    ++number;
    simdjson::dom::element record;
    if (parser.parse(row.front().value_or("")).get(record) != simdjson::SUCCESS)
      throw SqlFailure("58000", "row " + std::to_string(number) + " cannot be read back");
    const RowRules::Verdict verdict = rules.check(record, RowRules::Typed::Exactly);
    if (!verdict.problems.empty())
      throw SqlFailure("22000", "row " + std::to_string(number) + ": " + verdict.problems.front().message);
  }
}

std::uint64_t LakeWriter::append(const LakeTable& table, const LakeWrite& write, SqlConnection& connection) {
  const std::vector<SqlColumn> wanted = tables_.columns(table, connection);
  std::string select;
  try {
    for (const SqlColumn& column : connection.describe(write.query)) {
      const auto same = [&](const SqlColumn& one) { return sql_lower(one.name) == sql_lower(column.name); };
      const auto target = std::find_if(wanted.begin(), wanted.end(), same);
      if (target == wanted.end())
        throw SqlFailure("42804", "the table '" + table.table + "' has no column '" + column.name +
                                      "'; name each column of the SELECT as the schema does");
      check_fit(column.type, target->type, target->name);
      select += (select.empty() ? "" : ", ") + ("CAST(" + sql_name(column.name) + " AS " + target->type.sql + ") AS ") +
                sql_name(target->name);
    }
  } catch (const DatabaseError& error) {
    throw engine_failure(error.what());
  }
  const std::string batch =
      lake_.create_batch(table.dataset,
                         {{"status", "processing"},
                          {"started", platform_.clock.now_ms()},
                          {"inputFormat", {{"format", "parquet"}}},
                          {"tags", {{"acp_producer", {"query-service"}}, {"queryId", {write.id}}}}},
                         {{"by", "query"}});
  try {
    std::string guid;
    {
      const auto lock = platform_.objects.lock();
      guid = platform_.new_uuid("part");
    }
    PartFile part{"part-00000-" + guid + "-c000.snappy.parquet", 0, 0};
    const std::filesystem::path folder = lake_.parts_folder(batch);
    std::filesystem::create_directories(folder);
    const std::filesystem::path file = folder / part.name;
    part.rows = connection.run("COPY (SELECT " + select + " FROM (" + write.query + ") AS r) TO " +
                               sql_text(file.string()) + " (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)");
    if (write.validate && part.rows > 0) check_rows(table, file.string(), connection);
    part.bytes = std::filesystem::file_size(file);
    const std::uint64_t rows = part.rows;
    std::vector<PartFile> parts;
    if (rows > 0)
      parts.push_back(std::move(part));
    else
      std::filesystem::remove(file);
    lake_.succeed(batch, parts, {{"inputRecordCount", rows}});
    return rows;
  } catch (const SqlFailure& failure) {
    lake_.fail(batch, failure.state, failure.what());
    lake_.drop_files(batch);
    throw;
  } catch (const DatabaseError& error) {
    const SqlFailure failure = engine_failure(error.what());
    lake_.fail(batch, failure.state, failure.what());
    lake_.drop_files(batch);
    throw failure;
  }
}

void LakeWriter::identify(const LakeTable& table, const std::string& column, const std::string& space,
                          SqlConnection& connection) {
  if (!table.by_query)
    throw SqlFailure("42501",
                     "the table '" + table.table + "' was not made by Query Service and cannot be altered here");
  const auto columns = tables_.columns(table, connection);
  const auto same = [&](const SqlColumn& one) { return sql_lower(one.name) == sql_lower(column); };
  const auto found = std::find_if(columns.begin(), columns.end(), same);
  if (found == columns.end())
    throw SqlFailure("42703", "the table '" + table.table + "' has no column '" + column + "'");
  if (found->type.kind != SqlType::Kind::Text)
    throw SqlFailure("42804", "the column '" + column + "' is " + found->type.sql + "; an identity is a text");
  {
    const auto lock = platform_.objects.lock();
    const Json known = primary_identity(platform_, table.schema);
    if (known.is_string())
      throw SqlFailure("42P16", "the table '" + table.table +
                                    "' has a primary identity already: " + known.get<std::string>().substr(1));
  }
  try {
    call("POST", "/data/foundation/schemaregistry/tenant/descriptors",
         {{"@type", "xdm:descriptorIdentity"},
          {"xdm:sourceSchema", table.schema},
          {"xdm:sourceVersion", 1},
          {"xdm:sourceProperty", "/" + found->name},
          {"xdm:namespace", space},
          {"xdm:property", "xdm:code"},
          {"xdm:isPrimary", true}});
  } catch (const SqlFailure& refused) {
    throw SqlFailure("42704", refused.what());  // an unknown namespace
  }
}

void LakeWriter::drop(const LakeTable& table) {
  if (!table.by_query)
    throw SqlFailure("42501",
                     "the table '" + table.table + "' was not made by Query Service and cannot be dropped here");
  call("DELETE", std::string(kDatasetPath) + "/" + table.dataset, Json::object());
}

}  // namespace emulator
