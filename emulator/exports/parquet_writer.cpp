#include "emulator/exports/parquet_writer.h"

#include <algorithm>
#include <cstdio>

namespace emulator {
namespace {

// Rows carry nested maps of some kilobytes: larger row groups would not fit into the database's memory.
constexpr unsigned kRowGroup = 20'480;
// The people are cut into at most this many stripes, which parts are made of.
constexpr std::uint64_t kStripes = 4'096;

struct Stripe {
  std::uint64_t number = 0, rows = 0;
};

std::uint64_t as_number(const Cell& cell) { return cell ? std::stoull(*cell) : 0; }

std::string part_name(std::size_t number, const std::string& guid) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%05zu", number);
  return std::string("part-") + digits + "-" + guid + "-c000.snappy.parquet";
}

}  // namespace

ExportedRows write_parquet(World& world, const std::string& select, const std::string& condition,
                           const std::filesystem::path& folder, const std::string& guid, std::uint64_t rows_per_part) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Connection connection(world.database());
  connection.run("BEGIN TRANSACTION READ ONLY");
  ExportedRows exported;
  const std::uint64_t last = connection.number("SELECT max(profile_id) FROM profiles");
  const std::string width = std::to_string(last / kStripes + 1);
  std::vector<Stripe> stripes;
  for (const Row& row : connection.rows("SELECT profile_id // " + width +
                                        " AS stripe, count(*), count(person), count(ecid) "
                                        "FROM profiles WHERE " +
                                        condition + " GROUP BY ALL ORDER BY stripe")) {
    stripes.push_back({as_number(row[0]), as_number(row[1])});
    exported.rows += stripes.back().rows;
    exported.with_email += as_number(row[2]);
    exported.with_ecid += as_number(row[3]);
  }
  const std::uint64_t wanted = std::max<std::uint64_t>(1, std::min(rows_per_part, (exported.rows + 1) / 2));

  for (std::size_t begin = 0; begin < stripes.size();) {
    std::size_t end = begin;
    PartFile part;
    while (end < stripes.size() && (end == begin || part.rows + stripes[end].rows <= wanted))
      part.rows += stripes[end++].rows;
    part.name = part_name(exported.parts.size(), guid);
    const std::filesystem::path file = folder / part.name;
    connection.run("COPY (SELECT " + select +
                   " FROM profiles WHERE profile_id >= " + std::to_string(stripes[begin].number) + " * " + width +
                   " AND profile_id < " + std::to_string(stripes[end - 1].number + 1) + " * " + width + " AND " +
                   condition + ") TO " + sql_text(file.string()) +
                   " (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE " + std::to_string(kRowGroup) + ")");
    part.bytes = std::filesystem::file_size(file);
    exported.parts.push_back(std::move(part));
    begin = end;
  }
  connection.run("COMMIT");
  return exported;
}

}  // namespace emulator
