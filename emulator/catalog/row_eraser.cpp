#include "emulator/catalog/row_eraser.h"

#include <algorithm>
#include <cctype>

namespace emulator {
namespace {

constexpr std::size_t kIdsAtOnce = 1000;

std::string lower_code(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Condition on a row `r`: it is about somebody in the table `doomed`.
std::string about_doomed(const IdentityPlaces& places) {
  std::string condition = "false";
  if (!places.primary_path.empty())
    condition += " OR coalesce(json_extract_string(to_json(r), " + sql_text(places.primary_path) +
                 ") IN (SELECT id FROM doomed WHERE space = " + sql_text(lower_code(places.primary_space)) +
                 "), false)";
  if (places.map)
    condition +=
        " OR coalesce(list_has_any(flatten(list_transform(map_entries(json_extract(to_json(r), "
        "'$.identityMap')::MAP(VARCHAR, JSON[])), e -> list_transform(e.value, x -> lower(e.key) || chr(31) || (x ->> "
        "'id')))), (SELECT list(space || chr(31) || id) FROM doomed)), false)";
  return condition;
}

}  // namespace

RowEraser::RowEraser(const Database& database, const std::vector<DoomedIdentity>& doomed) : connection_(database) {
  connection_.run("CREATE TEMP TABLE doomed(space VARCHAR, id VARCHAR)");
  for (std::size_t begin = 0; begin < doomed.size(); begin += kIdsAtOnce) {
    std::string values;
    for (std::size_t i = begin; i < std::min(doomed.size(), begin + kIdsAtOnce); ++i)
      values +=
          (values.empty() ? "(" : ", (") + sql_text(lower_code(doomed[i].space)) + ", " + sql_text(doomed[i].id) + ")";
    connection_.run("INSERT INTO doomed VALUES " + values);
  }
}

std::optional<PartFile> RowEraser::erase(const std::filesystem::path& file, const IdentityPlaces& places) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const std::string rows = "read_parquet(" + sql_text(file.string()) + ") r";
  const std::string condition = about_doomed(places);
  const std::uint64_t all = connection_.number("SELECT count(*) FROM " + rows);
  const std::uint64_t gone = connection_.number("SELECT count(*) FROM " + rows + " WHERE " + condition);
  if (gone == all) {
    std::filesystem::remove(file);
    return std::nullopt;
  }
  if (gone > 0) {
    const std::filesystem::path fresh = file.string() + ".fresh";
    connection_.run("COPY (SELECT * FROM " + rows + " WHERE NOT (" + condition + ")) TO " + sql_text(fresh.string()) +
                    " (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)");
    // A compaction's successor shares the file by a hard link: the other name keeps the old rows until its own turn.
    std::filesystem::rename(fresh, file);
  }
  return PartFile{file.filename().string(), std::filesystem::file_size(file), all - gone};
}

}  // namespace emulator
