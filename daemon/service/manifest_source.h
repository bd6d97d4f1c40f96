#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/manifest/manifest.h"

namespace audiencesync {

/// One manifest as it was accepted. Its texts do not change any more, whatever becomes of its file: a run reads them
/// and not the disk, so that it is of exactly what was checked.
struct LoadedManifest {
  std::map<std::string, std::string> texts;  // every file that was read for it, by path: its own and what it extends
  Manifest manifest;

  const std::string& file() const { return manifest.file; }

  friend bool operator==(const LoadedManifest& left, const LoadedManifest& right) {
    return left.texts == right.texts && left.file() == right.file();
  }
};

/// A file that was not accepted; the caller goes on with what it was before, if it was ever good.
struct RejectedManifest {
  std::string file;
  std::vector<std::string> problems;  // each one line, with its place

  friend bool operator==(const RejectedManifest&, const RejectedManifest&) = default;
};

/// What a source holds now.
struct ManifestSet {
  std::vector<LoadedManifest> manifests;   // by uid; no two with the same
  std::vector<RejectedManifest> rejected;  // by file
  std::vector<std::string> warnings;       // each one line, with its place
  std::string commit;                      // "" for a plain folder

  friend bool operator==(const ManifestSet&, const ManifestSet&) = default;
};

/// Where the daemon's manifests come from. Used by one thread.
class ManifestSource {
 public:
  virtual ~ManifestSource() = default;
  /// Everything that is there now, complete and checked. On an error nothing is known: the caller keeps the previous
  /// set, loudly. A source whose parts belong together (a commit) fails as a whole when one part is bad.
  virtual Result<ManifestSet> load() = 0;
  /// Readable when something may have changed; -1: there is only the poll. May be another one after each `load`.
  virtual int watch_fd() const = 0;
  /// Consumes what made `watch_fd` readable; the caller loads again soon after.
  virtual Result<void> drain() = 0;
  /// How often to load without having been told; zero: never.
  virtual Duration poll_interval() const = 0;
  /// Where the manifests are, for people: a folder, or an address with a branch.
  virtual std::string name() const = 0;
};

}  // namespace audiencesync
