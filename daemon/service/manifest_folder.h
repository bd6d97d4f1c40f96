#pragma once

#include <map>
#include <set>

#include "daemon/service/folder_scan.h"
#include "daemon/service/folder_watch.h"
#include "daemon/service/manifest_judge.h"
#include "daemon/service/manifest_source.h"

namespace audiencesync {

/// Every *.yaml and *.yml in and below a folder as they are at one moment, each judged by itself and with the others
/// (judge_manifests). Errors: when the folder is not there or cannot be read; no manifest in it is no error.
Result<ManifestSet> load_manifest_folder(const Files& files, const Path& folder, const ManifestRules& rules);

/// A plain folder, watched by inotify.
///
/// What `load` gives was all there at one moment: a file that changes while it is read is read again. A file that
/// somebody is writing counts as it was before, with a warning, until it is closed. Idle, it costs nothing.
class FolderSource final : public ManifestSource {
 public:
  /// `files` and `rules` outlive the source.
  FolderSource(const Files& files, Path folder, const ManifestRules& rules)
      : files_(files), folder_(std::move(folder)), rules_(rules) {}

  Result<ManifestSet> load() override;
  int watch_fd() const override { return watch_.descriptor(); }
  Result<void> drain() override { return watch_.drain(); }
  Duration poll_interval() const override;
  std::string name() const override { return folder_.string(); }

 private:
  struct Text {
    FileStamp stamp;
    std::string text;
  };
  struct Read {
    std::map<std::string, Text> texts;
    std::map<std::string, std::string> unreadable;
    std::vector<std::string> warnings;
  };

  Result<Read> read();
  Result<std::optional<Read>> read_once();

  const Files& files_;
  const Path folder_;
  const ManifestRules& rules_;
  FolderWatch watch_;
  std::map<std::string, Text> known_;  // as of the last load
  ManifestOwners owners_;
};

}  // namespace audiencesync
