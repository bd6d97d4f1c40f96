#include "engine/membership/parquet/parquet_person_source.h"

#include <fmt/format.h>

#include <atomic>

#include "engine/membership/parquet/row_group_reader.h"
#include "engine/membership/workers.h"

namespace audiencesync {
namespace {

using parquet::ExportLayout;
using parquet::GroupChunks;

struct FilePlan {
  Path path;
  ExportLayout layout;
  std::vector<GroupChunks> groups;
};

Error unreadable_file(const Path& file, const Error& why) {
  if (why.code() != ErrorCode::Corrupt) return why;
  return Error(ErrorCode::Corrupt,
               fmt::format("{}: cannot be read as Parquet: {}; fetch it again, or make a new export", file.string(),
                           why.message()));
}

// Nullopt: not for us.
Result<std::optional<FilePlan>> plan_parquet(const Files& files, const Path& path, const SourceColumns& columns) {
  std::optional<FilePlan> none;
  const auto file = TRY(files.open(path));
  const auto footer = TRY(parquet::read_footer(*file));
  if (!footer) return none;
  auto layout = ExportLayout::find(footer->root, columns);
  if (!layout) return none;
  FilePlan plan{path, std::move(*layout), {}};
  std::uint64_t first_row = 0;
  for (const auto& group : footer->groups) {
    const auto chunk = [&](const parquet::SchemaNode& leaf) {
      return group.columns[static_cast<std::size_t>(leaf.leaf)];
    };
    GroupChunks chunks;
    chunks.rows = group.rows;
    chunks.first_row = first_row;
    first_row += group.rows;
    chunks.person = chunk(plan.layout.person);
    std::vector<const parquet::ColumnChunk*> needed{&chunks.person};
    if (plan.layout.memberships) {
      chunks.spaces = chunk(plan.layout.memberships->spaces.leaf);
      chunks.audiences = chunk(plan.layout.memberships->audiences.leaf);
      chunks.statuses = chunk(plan.layout.memberships->statuses.leaf);
      needed.insert(needed.end(), {&chunks.spaces, &chunks.audiences, &chunks.statuses});
    }
    for (const auto* one : needed) {
      if (!parquet::is_plain_chunk(*one)) return none;
      if (one->raw <= parquet::kLargestPage) continue;
      parquet::PageReader pages(*file, *one, false, false);
      const auto small = pages.pages_are_small();
      if (!small.ok() || !*small) return none;
    }
    if (group.rows > 0) plan.groups.push_back(std::move(chunks));
  }
  return std::optional<FilePlan>(std::move(plan));
}

}  // namespace

Result<void> ParquetPersonSource::read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                                               const MembershipMeaning& meaning, std::span<PersonSink* const> sinks) {
  std::vector<FilePlan> plans;
  std::vector<Path> others;
  for (const auto& path : files) {
    auto plan = TRY(plan_parquet(files_, path, columns));
    if (plan) {
      plans.push_back(std::move(*plan));
    } else {
      others.push_back(path);
    }
  }
  std::vector<std::pair<const FilePlan*, const GroupChunks*>> tasks;
  for (const auto& plan : plans) {
    for (const auto& group : plan.groups) tasks.emplace_back(&plan, &group);
  }
  // Strange files first: what is wrong with them shows before the time is spent.
  if (!others.empty()) TRY(fallback_.read_batches(others, columns, meaning, sinks));
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  return run_workers(
      std::min(sinks.size(), std::max<std::size_t>(tasks.size(), 1)), [&](std::size_t lane) -> Result<void> {
        for (auto at = next++; at < tasks.size() && !failed; at = next++) {
          const auto& [plan, group] = tasks[at];
          auto file = files_.open(plan->path);
          auto done = file.ok() ? Result<void>() : Result<void>(file.error());
          if (done.ok()) {
            parquet::RowGroupReader reader(**file, {plan->path, plan->layout, *group}, meaning, *sinks[lane]);
            done = reader.read();
          }
          if (done.ok()) continue;
          failed = true;
          return unreadable_file(plan->path, done.error());
        }
        return {};
      });
}

}  // namespace audiencesync
