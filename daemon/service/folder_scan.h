#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

/// What tells one content of a file from another without reading it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// What is below a folder of manifests.
struct FolderScan {
  std::map<std::string, FileStamp> files;         // *.yaml and *.yml, by path; links are followed
  std::map<std::string, std::string> unreadable;  // files that cannot be looked at, and why
  std::set<std::string> folders;                  // that a change of the above would be in, without links

  /// Why not all of it could be looked at: NotFound, Io, also for one folder of many that cannot be listed; Invalid
  /// above the limits. What was found until then is there.
  std::optional<Error> failure;

  /// Whether two looks that went well saw the same.
  bool same_as(const FolderScan& other) const {
    return files == other.files && unreadable == other.unreadable && folders == other.folders;
  }
};

inline constexpr std::size_t kMostManifestFiles = 10'000;
inline constexpr int kDeepestManifestFolder = 16;

/// Looks at a folder and what is below it. Names that begin with a dot are passed over, folders too: editors and
/// config maps keep theirs there. Links to folders are followed, each folder once.
FolderScan scan_folder(const Path& folder);

}  // namespace audiencesync
