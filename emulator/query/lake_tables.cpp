#include "emulator/query/lake_tables.h"

#include <algorithm>
#include <filesystem>

#include "emulator/ingestion/row_rules.h"
#include "emulator/query/sql_failure.h"
#include "emulator/query/sql_tokens.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr std::int64_t kSnapshotLife = 2LL * 24 * 3600 * 1000;

/// A number as the table format makes them, the same for ever.
std::string snapshot_id(const std::string& batch, const char* what) {
  return std::to_string(
      std::stoull(derived_hex(0, std::string("snapshot ") + what + " " + batch, 1).substr(0, 15), nullptr, 16));
}

/// What a change of a table's batches was, to be put in order.
struct LakeEvent {
  std::int64_t time = 0;
  bool withdrawal = false;
  std::uint64_t number = 0;
  std::string batch;
  bool compaction = false;
  std::vector<std::string> replaced;
};

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  if (list.is_array())
    for (const Json& one : list) out.push_back(one.get<std::string>());
  return out;
}

std::string successor_of(const Json& batch) {
  const auto names = strings_of(batch.value("tags", Json::object()).value("acp_successor", Json::array()));
  return names.empty() ? std::string() : names.front();
}

std::string file_list(const std::vector<std::string>& files) {
  std::string out;
  for (const std::string& file : files) out += (out.empty() ? "" : ", ") + sql_text(file);
  return "[" + out + "]";
}

LakeTable table_of(const std::string& id, const Json& dataset) {
  const Json& facts = dataset["_emulator"];
  return {id,
          facts.value("table", ""),
          dataset.value("name", ""),
          dataset.value("description", ""),
          dataset.value("schemaRef", Json::object()).value("id", ""),
          facts.value("by", "") == "query"};
}

}  // namespace

std::optional<LakeTable> LakeTables::find(const std::string& table) const {
  const std::string wanted = sql_lower(table);
  for (LakeTable& one : all())
    if (one.table == wanted) return std::move(one);
  return std::nullopt;
}

std::vector<LakeTable> LakeTables::all() const {
  const auto lock = platform_.objects.lock();
  const std::int64_t seen = platform_.clock.now_ms() - platform_.settings.table_tag_delay.count();
  std::vector<LakeTable> out;
  for (const auto& [id, dataset] : platform_.objects.all("dataset"))
    if (dataset.value("created", std::int64_t{0}) <= seen) out.push_back(table_of(id, dataset));
  std::sort(out.begin(), out.end(), [](const LakeTable& a, const LakeTable& b) { return a.table < b.table; });
  return out;
}

std::vector<LakeSnapshot> LakeTables::snapshots(const std::string& dataset) const {
  std::vector<LakeEvent> events;
  {
    const auto lock = platform_.objects.lock();
    for (const std::string& id : lake_.batches_of(dataset)) {
      const Json* batch = platform_.objects.find("batch", id);
      if (batch == nullptr || !(*batch)["_emulator"].contains("finished")) continue;
      const Json& facts = (*batch)["_emulator"];
      const auto number = facts.value("number", std::uint64_t{0});
      auto replaced = strings_of(batch->value("replay", Json::object()).value("predecessors", Json::array()));
      events.push_back({facts["finished"].get<std::int64_t>(), false, number, id, facts.value("by", "") == "compaction",
                        std::move(replaced)});
      // What a successor holds was withdrawn by that one's own snapshot.
      if (facts.contains("withdrawn") && successor_of(*batch).empty())
        events.push_back({facts["withdrawn"].get<std::int64_t>(), true, number, id, false, {}});
    }
  }
  std::sort(events.begin(), events.end(), [](const LakeEvent& a, const LakeEvent& b) {
    return std::tie(a.time, a.withdrawal, a.number) < std::tie(b.time, b.withdrawal, b.number);
  });
  std::vector<LakeSnapshot> out;
  std::vector<std::string> readable;
  const auto drop = [&](const std::string& batch) { std::erase(readable, batch); };
  for (const LakeEvent& event : events) {
    if (event.withdrawal) {
      if (std::find(readable.begin(), readable.end(), event.batch) == readable.end()) continue;
      drop(event.batch);
    } else {
      for (const std::string& old : event.replaced) drop(old);
      readable.push_back(event.batch);
    }
    out.push_back({snapshot_id(event.batch, event.withdrawal ? "withdrawn" : "committed"),
                   out.empty() ? "" : out.back().id, event.time, event.withdrawal ? "" : event.batch, event.compaction,
                   readable});
  }
  return out;
}

std::vector<std::string> LakeTables::chosen_batches(const LakeTable& table, const SqlSnapshot& snapshot,
                                                    SnapshotFallback fallback) const {
  const std::vector<LakeSnapshot> known = snapshots(table.dataset);
  const std::int64_t oldest = platform_.clock.now_ms() - kSnapshotLife;
  bool whole = !snapshot.given();
  // Position behind the snapshot of an id: 0 is HEAD, the number of snapshots TAIL.
  const auto position = [&](const std::string& id) -> std::size_t {
    if (id == "HEAD") return 0;
    if (id == "TAIL") return known.size();
    for (std::size_t i = 0; i < known.size(); ++i)
      if (known[i].id == id && (known[i].made_ms >= oldest || i + 1 == known.size())) return i + 1;
    if (fallback == SnapshotFallback::Refuse)
      throw SqlFailure("42704", "the table '" + table.table + "' has no snapshot " + id +
                                    "; it may have expired: history_meta lists those that have not");
    whole = true;
    return known.size();
  };
  const std::size_t until = snapshot.until ? position(*snapshot.until) : known.size();
  if (!snapshot.after || whole) {
    const std::size_t at = whole ? known.size() : until;
    return at == 0 ? std::vector<std::string>() : known[at - 1].batches;
  }
  const std::size_t after = position(*snapshot.after);
  if (whole) return known.empty() ? std::vector<std::string>() : known.back().batches;
  std::vector<std::string> out;
  for (std::size_t i = after; i < until; ++i) {
    if (known[i].batch.empty() || known[i].compaction) continue;
    out.push_back(known[i].batch);
  }
  return out;
}

std::vector<std::string> LakeTables::files_of(const std::string& id) const {
  const auto lock = platform_.objects.lock();
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr) throw SqlFailure("58000", "the files of a snapshot are gone");
  // Compaction keeps the files of what it replaces, under its own name.
  std::string holder = id;
  const Json* held = batch;
  while (held != nullptr && !Lake::is_live(held->value("status", "")) && !successor_of(*held).empty()) {
    holder = successor_of(*held);
    held = platform_.objects.find("batch", holder);
  }
  std::vector<std::string> files;
  for (const Json& file : (*batch)["_emulator"].value("files", Json::array())) {
    files.push_back((lake_.parts_folder(holder) / file["name"].get<std::string>()).string());
    if (!std::filesystem::exists(files.back())) throw SqlFailure("58000", "the files of a snapshot are gone");
  }
  return files;
}

const std::vector<SqlColumn>& LakeTables::columns_of(const std::string& batch, const std::vector<std::string>& files,
                                                     SqlConnection& connection) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto found = files_columns_.find(batch); found != files_columns_.end()) return found->second;
  }
  auto columns = connection.describe("SELECT * FROM read_parquet(" + file_list(files) + ", union_by_name = true)");
  const std::lock_guard guard(mutex_);
  return files_columns_.emplace(batch, std::move(columns)).first->second;
}

std::vector<SqlColumn> LakeTables::columns(const LakeTable& table, SqlConnection& connection) const {
  std::optional<Json> schema;
  {
    const auto lock = platform_.objects.lock();
    schema = resolved_schema(platform_, table.schema);
  }
  if (!schema) return {};
  std::string select;
  const RowRules rules(*schema);
  for (const auto& [name, rule] : rules.root().members) {
    std::string type = rule.sql_type();
    // An object nobody described has no columns.
    for (std::size_t at = type.find("STRUCT()"); at != std::string::npos; at = type.find("STRUCT()"))
      type.replace(at, 8, "JSON");
    select += (select.empty() ? "" : ", ") + ("CAST(NULL AS " + type + ") AS " + sql_name(name));
  }
  if (select.empty()) return {};
  return connection.describe("SELECT " + select);
}

SqlRelation LakeTables::read(const LakeTable& table, const SqlSnapshot& snapshot, SnapshotFallback fallback,
                             SqlConnection& connection) {
  SqlRelation relation;
  relation.columns = columns(table, connection);
  relation.datasets = {table.dataset};
  // Batches whose files are alike are read at once.
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // select list, files
  for (const std::string& batch : chosen_batches(table, snapshot, fallback)) {
    const std::vector<std::string> files = files_of(batch);
    if (files.empty()) continue;
    const std::vector<SqlColumn>& held = columns_of(batch, files, connection);
    if (relation.columns.empty()) relation.columns = held;
    std::string select;
    for (const SqlColumn& column : relation.columns) {
      const auto same = [&](const SqlColumn& one) { return sql_lower(one.name) == sql_lower(column.name); };
      const auto found = std::find_if(held.begin(), held.end(), same);
      const std::string value = found == held.end() ? "NULL" : sql_name(found->name);
      const bool as_it_is = found != held.end() && found->type.sql == column.type.sql;
      select += (select.empty() ? "" : ", ") + (as_it_is ? value : "CAST(" + value + " AS " + column.type.sql + ")") +
                " AS " + sql_name(column.name);
    }
    if (groups.empty() || groups.back().first != select) groups.push_back({select, {}});
    groups.back().second.insert(groups.back().second.end(), files.begin(), files.end());
  }
  if (relation.columns.empty())
    throw SqlFailure("42P01", "the table '" + table.table + "' has no columns: its schema is gone");
  for (const auto& [select, files] : groups)
    relation.sql += (relation.sql.empty() ? "(" : " UNION ALL ") + ("SELECT " + select) + " FROM read_parquet(" +
                    file_list(files) + ", union_by_name = true)";
  if (groups.empty()) {
    std::string select;
    for (const SqlColumn& column : relation.columns)
      select += (select.empty() ? "" : ", ") + ("CAST(NULL AS " + column.type.sql + ") AS ") + sql_name(column.name);
    relation.sql = "(SELECT " + select + " WHERE false";
  }
  relation.sql += ")";
  return relation;
}

SqlRelation LakeTables::history(const LakeTable& table) const {
  const std::vector<LakeSnapshot> known = snapshots(table.dataset);
  const std::int64_t oldest = platform_.clock.now_ms() - kSnapshotLife;
  std::string rows;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const bool current = i + 1 == known.size();
    if (known[i].made_ms < oldest && !current) continue;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    {
      const auto lock = platform_.objects.lock();
      for (const std::string& id : known[i].batches)
        if (const Json* batch = platform_.objects.find("batch", id))
          for (const Json& file : (*batch)["_emulator"].value("files", Json::array())) {
            records += file["rows"].get<std::uint64_t>();
            bytes += file["bytes"].get<std::uint64_t>();
          }
    }
    rows += (rows.empty() ? "(" : ", (") + std::to_string(i + 1) + ", make_timestamp(" +
            std::to_string(known[i].made_ms * 1000) + "), " + known[i].id + "::BIGINT, " +
            (known[i].parent.empty() ? "NULL" : known[i].parent) + "::BIGINT, true, " + (current ? "true" : "false") +
            ", " + std::to_string(records) + "::BIGINT, " + std::to_string(bytes) + "::BIGINT)";
  }
  const std::string none = rows.empty() ? " WHERE false" : "";
  if (rows.empty()) rows = "(1, make_timestamp(0), 0::BIGINT, 0::BIGINT, true, true, 0::BIGINT, 0::BIGINT)";
  return {"(SELECT * FROM (VALUES " + rows +
              ") AS h(snapshot_generation, made_current_at, snapshot_id, parent_id, is_current_ancestor, is_current, "
              "output_record_count, output_byte_size)" +
              none + ")",
          {},
          {table.dataset}};
}

}  // namespace emulator
