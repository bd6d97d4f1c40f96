#include "daemon/service/manifest_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/yaml_document.h"

namespace audiencesync {
namespace {

// Looked at although nothing was heard: rarely when changes are told, often when some can be missed.
constexpr std::chrono::hours kWatched{1};
constexpr std::chrono::minutes kUnwatched{1};

// A folder in which something changes during each of so many looks is being filled right now.
constexpr int kMostLooks = 20;

std::string without_links(const std::string& path) {
  std::error_code failure;
  const auto real = std::filesystem::canonical(path, failure);
  return failure ? path : real.string();
}

}  // namespace

Result<ManifestSet> load_manifest_folder(const Files& files, const Path& folder, const ManifestRules& rules) {
  return FolderSource(files, folder, rules).load();
}

Result<ManifestSet> FolderSource::load() {
  // What was heard so far is answered by this.
  TRY(watch_.drain());
  auto read = TRY(this->read());
  ManifestTexts texts;
  for (const auto& [path, text] : read.texts) texts[path] = text.text;
  auto set = judge_manifests(texts, rules_, owners_);
  for (auto& [path, problem] : read.unreadable) set.rejected.push_back({path, {std::move(problem)}});
  std::sort(set.rejected.begin(), set.rejected.end(),
            [](const RejectedManifest& left, const RejectedManifest& right) { return left.file < right.file; });
  set.warnings.insert(set.warnings.end(), read.warnings.begin(), read.warnings.end());
  for (const auto& each : set.manifests) owners_[each.manifest.uid] = each.file();
  known_ = std::move(read.texts);
  return set;
}

Result<FolderSource::Read> FolderSource::read() {
  for (int looks = 0; looks < kMostLooks; ++looks) {
    if (auto read = TRY(read_once())) return std::move(*read);
  }
  return Error(ErrorCode::NotFinished,
               fmt::format("{}: changes while it is read; it is read again when it comes to rest", folder_.string()));
}

// nullopt: something changed meanwhile.
Result<std::optional<FolderSource::Read>> FolderSource::read_once() {
  const auto scan = scan_folder(folder_);
  // Before anything is read, so that no change falls in between. Again each time: folders come and go.
  watch_.watch(scan.folders, folder_);
  if (scan.failure) return *scan.failure;
  Read read;
  read.unreadable = scan.unreadable;
  for (const auto& [path, stamp] : scan.files) {
    const auto known = known_.find(path);
    if (known != known_.end() && known->second.stamp == stamp) {
      read.texts.insert(*known);
      continue;
    }
    if (!watch_.being_written().empty() && watch_.being_written().contains(without_links(path))) {
      if (known != known_.end()) {
        read.texts.insert(*known);
        read.warnings.push_back(
            fmt::format("{}: is being written; it counts as it was before until it is closed", path));
      }
      continue;
    }
    if (stamp.bytes > kMaxYamlBytes) {
      read.unreadable[path] =
          fmt::format("{}: has {} bytes, at most {} are read; shorten it", path, stamp.bytes, kMaxYamlBytes);
      continue;
    }
    auto text = files_.read(path);
    if (text.ok()) {
      read.texts[path] = {stamp, std::move(text).take()};
    } else if (text.error().code() == ErrorCode::NotFound) {
      return std::optional<Read>();
    } else {
      read.unreadable[path] = text.error().text();
    }
  }
  const auto after = scan_folder(folder_);
  if (after.failure) return *after.failure;
  if (!after.same_as(scan)) return std::optional<Read>();
  return std::optional<Read>(std::move(read));
}

Duration FolderSource::poll_interval() const {
  if (watch_.complete()) return kWatched;
  return kUnwatched;
}

}  // namespace audiencesync
