#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/files.h"

namespace audiencesync {

// Names inside the engine's folder. A file's name is what kind it is and the digest of its content.

inline constexpr std::string_view kSnapshotPrefix = "snapshot-";
inline constexpr std::string_view kChangesetPrefix = "changes-";
inline constexpr std::string_view kDeltaPrefix = "delta-";
inline constexpr std::string_view kWorkFolder = "tmp";

inline Path snapshot_path(const Path& folder, const Digest& content) {
  return folder / (std::string(kSnapshotPrefix) + content);
}

inline Path changeset_path(const Path& folder, const Digest& content) {
  return folder / (std::string(kChangesetPrefix) + content);
}

inline Path delta_path(const Path& folder, const Digest& delta) { return folder / (std::string(kDeltaPrefix) + delta); }

/// The digest in the name of one of our files; nullopt for a foreign name.
inline std::optional<Digest> digest_in_name(std::string_view name) {
  for (const auto prefix : {kSnapshotPrefix, kChangesetPrefix, kDeltaPrefix}) {
    if (name.substr(0, prefix.size()) == prefix && name.size() == prefix.size() + 64) {
      return Digest(name.substr(prefix.size()));
    }
  }
  return std::nullopt;
}

}  // namespace audiencesync
