#include "daemon/diff_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "plugins/membership/relation.h"

namespace audiencesync {
namespace {

namespace fs = std::filesystem;

bool is_skipped(const Path& path) {
  const auto name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_');
}

Error unreadable_folder(const Path& path, const std::error_code& failure) {
  return Error(ErrorCode::Io, fmt::format("{}: cannot list: {}", path.string(), failure.message()));
}

Result<void> add_folder(const Path& folder, std::vector<Path>& out) {
  std::error_code failure;
  std::vector<Path> found;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::follow_directory_symlink, failure);
  for (const fs::recursive_directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    if (is_skipped(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(failure) && !failure) {
      found.push_back(entry->path());
    }
  }
  if (failure) return unreadable_folder(folder, failure);
  std::sort(found.begin(), found.end());
  out.insert(out.end(), found.begin(), found.end());
  return {};
}

using IdsByName = std::map<std::string, std::set<AudienceId>>;

Result<void> add_names(const Files& files, const DifferenceSide& side, IdsByName& names) {
  if (!side.snapshot) return {};
  const auto audiences = TRY(audiences_of_snapshot(files, *side.snapshot));
  for (const auto& audience : audiences) names[audience.name].insert(audience.id);
  return {};
}

Result<AudienceId> id_of(const AudienceEntry& entry, const IdsByName& names) {
  if (entry.id) return *entry.id;
  const auto& name = *entry.name;
  const auto found = names.find(name);
  if (found == names.end()) {
    return Error(ErrorCode::Invalid,
                 fmt::format("audience '{}' has no id, and offline only a snapshot that holds it could tell; write its "
                             "id beside the name",
                             name))
        .at(entry.place);
  }
  if (found->second.size() > 1) {
    return Error(ErrorCode::Invalid,
                 fmt::format("audience '{}' has no id, and the snapshots hold {} audiences of this name; write its id "
                             "beside the name",
                             name, found->second.size()))
        .at(entry.place);
  }
  return *found->second.begin();
}

}  // namespace

Result<DifferenceSide> side_of(const Files& files, const std::vector<Path>& paths, std::string_view option) {
  DifferenceSide side;
  for (const auto& path : paths) {
    std::error_code failure;
    if (fs::is_directory(path, failure)) {
      TRY(add_folder(path, side.exported));
    } else if (fs::is_regular_file(path, failure)) {
      side.exported.push_back(path);
    } else if (fs::exists(path, failure)) {
      // A pipe cannot be read by several threads, and not twice.
      return Error(ErrorCode::Invalid,
                   fmt::format("--{} {}: this is neither a file nor a folder", option, path.string()));
    } else {
      return Error(ErrorCode::NotFound, fmt::format("--{} {}: there is no such file or folder", option, path.string()));
    }
  }
  if (side.exported.empty()) {
    return Error(ErrorCode::NotFound, fmt::format("--{} {}: there is no file in it; name an export, or one snapshot",
                                                  option, paths.empty() ? "" : paths.front().string()));
  }
  std::vector<Path> snapshots;
  for (const auto& path : side.exported) {
    const auto ours = TRY(is_membership_file(files, path));
    if (ours) snapshots.push_back(path);
  }
  if (snapshots.empty()) return side;
  if (side.exported.size() > 1) {
    return Error(ErrorCode::Invalid,
                 fmt::format("--{} names {} files and {} is a snapshot; a side is the files of one export, or one "
                             "snapshot alone",
                             option, side.exported.size(), snapshots.front().string()));
  }
  side.snapshot = std::move(snapshots.front());
  side.exported.clear();
  return side;
}

Result<RelationSpec> offline_relation(const Files& files, const Manifest& manifest, const DifferenceSide& from,
                                      const DifferenceSide& to) {
  IdsByName names;
  TRY(add_names(files, from, names));
  TRY(add_names(files, to, names));
  std::set<AudienceId> ids;
  Value::Array audiences;
  for (const auto& entry : manifest.audiences) {
    const auto id = TRY(id_of(entry, names));
    if (!ids.insert(id).second) {
      return Error(ErrorCode::Invalid,
                   fmt::format("audience '{}' is {}, which the manifest names already; remove one of them",
                               entry.name.value_or(id), id))
          .at(entry.place);
    }
    audiences.emplace_back(Value::Object{
        {"id", id}, {"name", entry.name.value_or(id)}, {"namespace", entry.membership_namespace}, {"held", false}});
  }
  return relation_spec(manifest, std::move(audiences), {});
}

}  // namespace audiencesync
