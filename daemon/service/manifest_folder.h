#pragma once

#include "daemon/service/manifest_source.h"
#include "engine/base/files.h"

namespace audiencesync {

/// Every *.yaml and *.yml of a folder, each judged by itself: a bad file is rejected and the others count. Of two files
/// with one uid the first, by name, counts. Errors: when the folder is not there or cannot be read; no manifest in it
/// is no error.
Result<ManifestSet> load_manifest_folder(const Files& files, const Path& folder, const ManifestRules& rules);

/// A plain folder, watched by inotify.
class FolderSource final : public ManifestSource {
 public:
  /// `files` and `rules` outlive the source.
  FolderSource(const Files& files, Path folder, const ManifestRules& rules)
      : files_(files), folder_(std::move(folder)), rules_(rules) {}
  FolderSource(const FolderSource&) = delete;
  FolderSource& operator=(const FolderSource&) = delete;
  ~FolderSource() override;

  Result<ManifestSet> load() override;
  int watch_fd() const override { return descriptor_; }
  Result<void> drain() override;
  Duration poll_interval() const override;
  std::string name() const override { return folder_.string(); }

 private:
  void watch();

  const Files& files_;
  const Path folder_;
  const ManifestRules& rules_;
  int descriptor_ = -1;
  int watch_ = -1;
};

}  // namespace audiencesync
