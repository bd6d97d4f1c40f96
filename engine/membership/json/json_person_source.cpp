#include "engine/membership/json/json_person_source.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "engine/membership/json/json_file.h"
#include "engine/membership/json/record_reader.h"
#include "engine/membership/json/structural_reader.h"
#include "engine/membership/workers.h"

namespace audiencesync {
namespace {

using json::JsonFile;
using json::RecordBlock;
using json::RecordReader;
using json::StructuralReader;

constexpr const char* kTooLong = "it is longer than 4 MiB";

Error unreadable_json(const Path& file, const Error& why) {
  if (why.code() != ErrorCode::Corrupt) return why;
  return Error(ErrorCode::Corrupt, fmt::format("{}: cannot be read as JSON: {}; fetch it again, or make a new export",
                                               file.string(), why.message()));
}

// One thread's tools.
struct JsonLane {
  JsonLane(const SourceColumns& columns, const MembershipMeaning& meaning, PersonSink& sink_in)
      : fast(columns, meaning), reader(columns, &meaning), sink(sink_in) {}

  Result<void> use(const JsonFile& file) {
    batch.clear();
    batch.file = &file.path();
    batch.first_place = block.offset;
    fast.begin(block);
    for (const auto& record : block.records) {
      if (fast.read(record, batch)) {
        batch.rows.back().place = static_cast<std::uint32_t>(record.begin);
        continue;
      }
      const std::string_view text(block.bytes() + record.begin, record.size);
      const char* const problem = record.too_long ? kTooLong : reader.read(text, block.readable(record.begin), batch);
      if (problem == nullptr) {
        batch.rows.back().place = static_cast<std::uint32_t>(record.begin);
        continue;
      }
      if (record.open && !record.too_long) return Error(ErrorCode::Corrupt, "it ends in the middle of a record");
      batch.broken.push_back({&file.path(), block.offset + record.begin, problem});
    }
    const auto done = sink.add(batch);
    reader.forget();
    return done;
  }

  /// False at the end of the file.
  Result<bool> take_one(JsonFile& file) {
    const auto found = TRY(file.take(block));
    if (found) TRY(use(file));
    return found;
  }

  StructuralReader fast;
  RecordReader reader;
  PersonSink& sink;
  RecordBlock block;
  PersonBatch batch;
};

}  // namespace

Result<std::uint64_t> JsonPersonSource::read(const std::vector<Path>& files, const SourceColumns& columns,
                                             const std::function<Result<void>(const SourceRow&)>& each) {
  std::vector<SourceRow::Membership> memberships;
  RecordReader reader(columns, nullptr, &memberships);
  RecordBlock block;
  PersonBatch batch;
  std::uint64_t rows = 0;
  for (const auto& path : files) {
    JsonFile file(files_, path);
    while (TRY(file.take(block))) {
      for (const auto& record : block.records) {
        batch.clear();
        memberships.clear();
        const std::string_view text(block.bytes() + record.begin, record.size);
        const char* const problem = record.too_long ? kTooLong : reader.read(text, block.readable(record.begin), batch);
        if (problem != nullptr) {
          return Error(ErrorCode::Corrupt, fmt::format("{}: the record at byte {} cannot be used: {}", path.string(),
                                                       block.offset + record.begin, problem));
        }
        SourceRow row;
        row.person = batch.rows.front().person;
        row.memberships = &memberships;
        TRY(each(row));
        reader.forget();
        ++rows;
      }
    }
  }
  return rows;
}

Result<void> JsonPersonSource::read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                                            const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) {
  std::vector<std::unique_ptr<JsonFile>> inputs;
  for (const auto& path : files) {
    if (!files_.exists(path))
      return Error(ErrorCode::NotFound, fmt::format("{}: there is no such file", path.string()));
    inputs.push_back(std::make_unique<JsonFile>(files_, path));
  }
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  return run_workers(sinks.size(), [&](std::size_t number) -> Result<void> {
    JsonLane lane(columns, meaning, *sinks[number]);
    const auto finish = [&](JsonFile& file) -> Result<void> {
      while (!failed) {
        auto taken = lane.take_one(file);
        if (!taken.ok()) {
          failed = true;
          return unreadable_json(file.path(), taken.error());
        }
        if (!*taken) break;
      }
      return {};
    };
    // A file of its own first; then a hand with what others have not finished.
    for (auto own = next++; own < inputs.size(); own = next++) TRY(finish(*inputs[own]));
    for (const auto& file : inputs) TRY(finish(*file));
    return {};
  });
}

}  // namespace audiencesync
