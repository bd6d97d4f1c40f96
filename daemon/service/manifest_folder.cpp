#include "daemon/service/manifest_folder.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/service/manifest_texts.h"

namespace audiencesync {
namespace {

// Looked at although nothing was heard: rarely when changes are told, often when the folder cannot be watched.
constexpr std::chrono::hours kWatched{1};
constexpr std::chrono::minutes kUnwatched{1};

constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB |
                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

bool is_manifest_name(const std::string& name) {
  const Path path(name);
  return !name.starts_with('.') && (path.extension() == ".yaml" || path.extension() == ".yml");
}

std::vector<std::string> texts_of(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  std::transform(errors.begin(), errors.end(), std::back_inserter(out), [](const Error& each) { return each.text(); });
  return out;
}

}  // namespace

Result<ManifestSet> load_manifest_folder(const Files& files, const Path& folder, const ManifestRules& rules) {
  const auto about = TRY(files.facts(folder));
  if (about.kind != FileFacts::Kind::Folder) {
    return Error(ErrorCode::Invalid, fmt::format("{}: not a folder; correct manifests.folder", folder.string()));
  }
  ManifestSet set;
  const auto names = TRY(files.list(folder));
  for (const auto& name : names) {
    if (!is_manifest_name(name)) continue;
    const auto path = (folder / name).string();
    LoadedManifest manifest;
    auto loaded = load_manifest_recorded(files, path, rules, manifest.texts);
    for (auto& warning : texts_of(loaded.warnings)) set.warnings.push_back(std::move(warning));
    if (!loaded.ok()) {
      set.rejected.push_back({path, texts_of(loaded.problems)});
      continue;
    }
    const auto same = std::find_if(set.manifests.begin(), set.manifests.end(),
                                   [&](const LoadedManifest& each) { return each.manifest.uid == loaded.value->uid; });
    if (same != set.manifests.end()) {
      set.rejected.push_back({path,
                              {fmt::format("{}: uid '{}' is that of {}; a uid keys state and ownership, so give one of "
                                           "them another",
                                           path, loaded.value->uid, same->file())}});
      continue;
    }
    manifest.manifest = std::move(*loaded.value);
    set.manifests.push_back(std::move(manifest));
  }
  std::sort(set.manifests.begin(), set.manifests.end(), [](const LoadedManifest& left, const LoadedManifest& right) {
    return left.manifest.uid < right.manifest.uid;
  });
  return set;
}

FolderSource::~FolderSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// Before anything is read, so that no change falls in between. Again each time: the folder may be another one by now.
void FolderSource::watch() {
  if (descriptor_ < 0) descriptor_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor_ < 0) return;
  const int watch = ::inotify_add_watch(descriptor_, folder_.c_str(), kChanges);
  if (watch_ >= 0 && watch != watch_) ::inotify_rm_watch(descriptor_, watch_);
  watch_ = watch;
}

Result<ManifestSet> FolderSource::load() {
  watch();
  return load_manifest_folder(files_, folder_, rules_);
}

Result<void> FolderSource::drain() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    if (got < 0 && errno != EAGAIN) {
      return Error(ErrorCode::Io, fmt::format("{}: cannot read what changed: {}", name(), std::strerror(errno)));
    }
    return {};
  }
}

Duration FolderSource::poll_interval() const {
  if (watch_ < 0) return kUnwatched;
  return kWatched;
}

}  // namespace audiencesync
