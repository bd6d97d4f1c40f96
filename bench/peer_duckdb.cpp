#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bench/peers.h"
#include "bench/profiles.h"
#include "bench/sql.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMember = "IN ('realized', 'existing')";

// JSON: only the five wanted members of `ups` are declared, so the others are never built.
std::string desired_json(const fs::path& folder, const std::string& format) {
  std::string fields;
  std::string mask;
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    fields += fmt::format("{}\"{}\" STRUCT(status VARCHAR)", i == 0 ? "" : ", ", audience_id(i));
    mask += fmt::format("{}(CASE WHEN \"segmentMembership\".ups.\"{}\".status {} THEN {} ELSE 0 END)",
                        i == 0 ? "" : " | ", audience_id(i), kMember, 1U << i);
  }
  return fmt::format(
      "SELECT person, bit_or(mask)::UTINYINT AS mask FROM (SELECT _demoemea.identification.core.email AS person, {} AS "
      "mask FROM read_json('{}/*.{}', format = 'newline_delimited', columns = {{'_demoemea': 'STRUCT(identification "
      "STRUCT(core STRUCT(email VARCHAR)))', 'segmentMembership': 'STRUCT(ups STRUCT({}))'}})) WHERE person <> '' "
      "GROUP BY person",
      mask, folder.string(), format, fields);
}

// Parquet: the entries of the map one below the other, those of the wanted audiences kept.
std::string desired_parquet(const fs::path& folder) {
  std::string ids;
  std::string bits;
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    ids += fmt::format("{}'{}'", i == 0 ? "" : ", ", audience_id(i));
    bits += fmt::format(" WHEN '{}' THEN {}", audience_id(i), 1U << i);
  }
  return fmt::format(
      "SELECT person, bit_or(bit)::UTINYINT AS mask FROM (SELECT person, CASE entry.key{} END AS bit FROM (SELECT "
      "_demoemea.identification.core.email AS person, unnest(map_entries(\"segmentMembership\"['ups'])) AS entry FROM "
      "read_parquet('{}/*.parquet')) WHERE person <> '' AND entry.key IN ({}) AND entry.value.status {}) GROUP BY "
      "person",
      bits, folder.string(), ids, kMember);
}

std::string desired(const fs::path& folder, const std::string& format) {
  return format == "parquet" ? desired_parquet(folder) : desired_json(folder, format);
}

}  // namespace

void prepare_duckdb(const fs::path& data, const fs::path& work, const std::string& format) {
  fs::remove(work / "base.duckdb");
  Sql sql((work / "base.duckdb").string());
  sql.run(fmt::format("CREATE TABLE base AS FROM ({}) WHERE mask <> 0", desired(data / "old", format)));
  // For the peers that have no database.
  sql.run(fmt::format("COPY base TO '{}' (FORMAT csv, HEADER)", (work / "base.csv").string()));
  std::string pairs;
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    pairs += fmt::format("{}SELECT person, '{}' FROM base WHERE mask & {} <> 0", i == 0 ? "" : " UNION ALL ",
                         audience_id(i), 1U << i);
  }
  sql.run(fmt::format("COPY ({}) TO '{}' (FORMAT csv, HEADER false, DELIMITER '\t')", pairs,
                      (work / "base-pairs.tsv").string()));
}

Found compare_with_duckdb(const fs::path& data, const fs::path& work, const std::string& format) {
  Sql sql((work / "base.duckdb").string());
  const auto out = work / "duckdb-changes.parquet";
  sql.run(fmt::format(
      "COPY (SELECT coalesce(base.person, desired.person) AS person, coalesce(base.mask, 0)::UTINYINT AS before, "
      "coalesce(desired.mask, 0)::UTINYINT AS after FROM base FULL OUTER JOIN ({}) desired ON base.person = "
      "desired.person WHERE coalesce(base.mask, 0) <> coalesce(desired.mask, 0)) TO '{}' (FORMAT parquet)",
      desired(data / "new", format), out.string()));
  Found found;
  found.changed = std::stoull(sql.value(fmt::format("SELECT count(*) FROM read_parquet('{}')", out.string())));
  return found;
}

std::vector<fs::path> files_of(const fs::path& folder, const std::string& format) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with("." + format)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace audiencesync::bench
