#include "plugins/membership/source_files.h"

#include <fmt/format.h>

#include <set>

#include "engine/membership/landed_files.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/data_access.h"

namespace audiencesync {

Result<std::vector<Path>> fetch_source_files(ReadContext& context, const std::vector<std::string>& batches,
                                             const Path& folder) {
  std::vector<Path> paths;
  std::set<std::string> holders;
  TRY(context.files().make_folder(folder));
  for (const auto& id : batches) {
    auto batch = TRY(platform::get_batch(context.http(), id));
    if (!batch) return Error(ErrorCode::NotFound, fmt::format("export batch {} is no longer in the catalog", id));
    const auto holder = TRY(platform::current_holder(context.http(), std::move(*batch)));
    // Two batches may have been consolidated into one: its rows are read once.
    if (!holders.insert(holder.id).second) continue;
    const auto files = TRY(platform::list_data_files(context.http(), holder.id));
    std::uint64_t done = 0;
    for (const auto& file : files) {
      // A number keeps the platform's order and is always a good file name, whatever the platform calls it.
      const Path target = folder / fmt::format("{}-{:05}.parquet", holder.id, paths.size());
      const auto have = context.files().size(target);
      if (!have.ok() || *have != file.length) {
        TRY(platform::download_data_file(context.http(), file, target).in(fmt::format("export batch {}", id)));
      }
      paths.push_back(target);
      done += file.length;
      context.events().progress("downloading the export", done, 0, "bytes");
    }
  }
  return paths;
}

Result<void> check_unchanged(ReadContext& context, const std::vector<Path>& files, const std::string& id) {
  LandedFiles now;
  for (const auto& path : files) {
    const auto facts = context.files().facts(path);
    if (facts.ok()) now.files.push_back({path, facts->bytes, facts->modified_ns});
  }
  if (now.id() == id) return {};
  return Error(
      ErrorCode::Conflict,
      fmt::format("files at {} (source.path) changed while they were read; nothing is computed from a mixture, "
                  "run again when they are complete",
                  context.manifest().source.path));
}

}  // namespace audiencesync
