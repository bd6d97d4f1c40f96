#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bench/peers.h"
#include "bench/profiles.h"
#include "bench/sql.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

// JSON columns stay text where that is faster than building maps: the paths below pick five values out of it.
std::string source_of(const fs::path& folder, const std::string& format) {
  if (format == "parquet") return fmt::format("read_parquet('{}/*.parquet')", folder.string());
  return fmt::format(
      "read_json('{}/*.{}', format = 'newline_delimited', columns = {{"
      "'_demoemea': 'STRUCT(identification STRUCT(core STRUCT(email VARCHAR)))', "
      "'segmentMembership': '{}'}})",
      folder.string(), format, "STRUCT(ups MAP(VARCHAR, STRUCT(status VARCHAR)))");
}

std::string desired(const fs::path& folder, const std::string& format) {
  std::string mask;
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    mask += fmt::format("{}(CASE WHEN ups['{}'].status IN ('realized', 'existing') THEN {} ELSE 0 END)",
                        i == 0 ? "" : " | ", audience_id(i), 1U << i);
  }
  const std::string ups = format == "parquet" ? "\"segmentMembership\"['ups']" : "\"segmentMembership\".ups";
  return fmt::format(
      "SELECT person, bit_or(mask)::UTINYINT AS mask FROM (SELECT person, {} AS mask FROM (SELECT "
      "_demoemea.identification.core.email AS person, {} AS ups FROM {}) WHERE person <> '') GROUP BY person",
      mask, ups, source_of(folder, format));
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
