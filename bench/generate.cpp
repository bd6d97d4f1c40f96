// Writes the data of the benchmark: two generations of one population as JSON lines and as Parquet, eight files each.
//
// usage: bench_generate PROFILES FOLDER [json|parquet]
//        bench_generate multiply TIMES FROM FOLDER     the Parquet of FROM again and again, each time other people
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "bench/profiles.h"
#include "bench/sql.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

void write_json(const fs::path& path, const Population& population, std::uint64_t part, Generation generation,
                const std::vector<std::string>& audiences) {
  std::ofstream file(path, std::ios::binary);
  std::string text;
  for (auto person = population.first_of(part); person < population.first_of(part + 1); ++person) {
    append_profile(text, population, person, generation, audiences);
    if (text.size() < (1 << 20)) continue;
    file << text;
    text.clear();
  }
  file << text;
  if (!file.flush()) {
    fmt::print(stderr, "error: {}: cannot be written\n", path.string());
    std::exit(1);
  }
}

int generate(std::uint64_t profiles, const fs::path& folder, const std::string& kinds) {
  const Population population{profiles};
  std::vector<std::string> audiences;
  for (std::uint64_t i = 0; i < Population::kAudiences; ++i) audiences.push_back(audience_id(i));
  Sql sql;
  sql.run("SET preserve_insertion_order = true");
  sql.run("SET memory_limit = '4GB'");
  for (const auto generation : {Generation::Old, Generation::New}) {
    const auto below = folder / (generation == Generation::Old ? "old" : "new");
    fs::create_directories(below);
    for (std::uint64_t part = 0; part < Population::kParts; ++part) {
      const auto json = below / fmt::format("part-{:05}.json", part);
      write_json(json, population, part, generation, audiences);
      const auto parquet = below / fmt::format("part-{:05}.snappy.parquet", part);
      sql.run(
          fmt::format("COPY (SELECT * FROM read_json('{}', format = 'newline_delimited', columns = {{"
                      "'_demoemea': 'STRUCT(identification STRUCT(core STRUCT(email VARCHAR)))', "
                      "'segmentMembership': 'MAP(VARCHAR, MAP(VARCHAR, STRUCT(\"lastQualificationTime\" TIMESTAMP, "
                      "status VARCHAR)))'}})) TO '{}' (FORMAT parquet, COMPRESSION snappy)",
                      json.string(), parquet.string()));
      if (kinds == "parquet") fs::remove(json);
      if (kinds == "json") fs::remove(parquet);
    }
  }
  return 0;
}

// Making a hundred million profiles one by one takes hours, and how the memberships lie repeats anyway. Copies that are
// there already stay.
int multiply(std::uint64_t times, const fs::path& from, const fs::path& folder) {
  Sql sql;
  for (std::uint64_t copy = 0; copy < times; ++copy) {
    for (const char* const generation : {"old", "new"}) {
      fs::create_directories(folder / generation);
      const auto file = folder / generation / fmt::format("part-{:05}.snappy.parquet", copy);
      if (fs::exists(file)) continue;
      const auto unfinished = folder / "unfinished";
      sql.run(
          fmt::format("COPY (SELECT {{'identification': {{'core': {{'email': '{0}.' || "
                      "_demoemea.identification.core.email}}}}}} AS "
                      "_demoemea, \"segmentMembership\" FROM read_parquet('{1}/{2}/*.parquet')) TO "
                      "'{3}' (FORMAT parquet, COMPRESSION snappy)",
                      copy, from.string(), generation, unfinished.string()));
      fs::rename(unfinished, file);
    }
  }
  return 0;
}

}  // namespace
}  // namespace audiencesync::bench

int main(int count, char** words) {
  if (count < 3) {
    fmt::print(stderr, "usage: bench_generate PROFILES FOLDER [json|parquet]\n");
    return 2;
  }
  if (count == 5 && std::string_view(words[1]) == "multiply") {
    return audiencesync::bench::multiply(std::strtoull(words[2], nullptr, 10), words[3], words[4]);
  }
  return audiencesync::bench::generate(std::strtoull(words[1], nullptr, 10), words[2], count > 3 ? words[3] : "both");
}
