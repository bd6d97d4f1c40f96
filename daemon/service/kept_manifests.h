#pragma once

#include <string>
#include <vector>

#include "daemon/service/manifest_source.h"
#include "engine/base/files.h"

namespace audiencesync {

/// The manifests of a folder as they were last accepted, in a private file of the state: a file that was broken while
/// the daemon did not run leaves its sync as it was, as one that is broken before its eyes does.
///
/// Texts only: what they may do is judged anew, by the settings of now.
class KeptManifests {
 public:
  /// `files` outlives it.
  KeptManifests(Files& files, Path file) : files_(files), file_(std::move(file)) {}

  /// Adds to a set what was kept of its rejected files, unless another manifest has its uid or its target dataset by
  /// now. Gives a line for each that came back. Errors: Corrupt, Io when what was kept cannot be read.
  Result<std::vector<std::string>> restore(ManifestSet& set, const ManifestRules& rules) const;
  /// These count from now on. Nothing is written when that is known. Errors: those of the disk.
  Result<void> keep(const std::vector<const LoadedManifest*>& manifests);

 private:
  Files& files_;
  const Path file_;
  std::string known_;  // as last written
};

}  // namespace audiencesync
