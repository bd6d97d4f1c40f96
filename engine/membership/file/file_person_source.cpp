#include "engine/membership/file/file_person_source.h"

#include <array>
#include <string_view>

#include "engine/membership/json/json_person_source.h"
#include "engine/membership/parquet/parquet_person_source.h"

namespace audiencesync {
namespace {

bool is_json(std::string_view first, const Path& path) {
  if (first.starts_with("PAR1") || first.starts_with("PARE")) return false;
  if (first.starts_with("\x1F\x8B") || first.starts_with("\x28\xB5\x2F\xFD")) return true;
  if (first.starts_with("\xEF\xBB\xBF")) return true;
  const auto begin = first.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && (first[begin] == '{' || first[begin] == '[')) return true;
  const auto name = path.filename().string();
  return name.find(".json") != std::string::npos || name.find(".ndjson") != std::string::npos;
}

}  // namespace

FilePersonSource::FilePersonSource(const Files& files, PersonSource& other_parquet)
    : files_(files),
      json_(std::make_unique<JsonPersonSource>(files)),
      parquet_(std::make_unique<ParquetPersonSource>(files, other_parquet)) {}

FilePersonSource::~FilePersonSource() = default;

Result<FilePersonSource::Split> FilePersonSource::split(const std::vector<Path>& files) const {
  Split split;
  for (const auto& path : files) {
    const auto file = TRY(files_.open(path));
    std::array<char, 512> first{};
    const auto count = TRY(file->read_at(0, first));
    (is_json({first.data(), count}, path) ? split.json : split.parquet).push_back(path);
  }
  return split;
}

Result<std::uint64_t> FilePersonSource::read(const std::vector<Path>& files, const SourceColumns& columns,
                                             const std::function<Result<void>(const SourceRow&)>& each) {
  const auto parts = TRY(split(files));
  std::uint64_t rows = 0;
  if (!parts.parquet.empty()) rows += TRY(parquet_->read(parts.parquet, columns, each));
  if (!parts.json.empty()) rows += TRY(json_->read(parts.json, columns, each));
  return rows;
}

Result<void> FilePersonSource::read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                                            const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) {
  const auto parts = TRY(split(files));
  if (!parts.parquet.empty()) TRY(parquet_->read_batches(parts.parquet, columns, meaning, sinks));
  if (!parts.json.empty()) TRY(json_->read_batches(parts.json, columns, meaning, sinks));
  return {};
}

}  // namespace audiencesync
