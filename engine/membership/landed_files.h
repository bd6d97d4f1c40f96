#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/files.h"

namespace audiencesync {

/// One file of a landing zone as it was seen.
struct LandedFile {
  Path path;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;

  friend bool operator==(const LandedFile&, const LandedFile&) = default;
};

/// Profiles that somebody else puts into a folder of this machine.
struct LandedFiles {
  std::vector<LandedFile> files;  // sorted by path; none of them empty

  /// Names exactly these files in exactly this state: "files-" and 32 hex digits.
  std::string id() const;
  std::uint64_t bytes() const;
  /// When the last of them was changed, in nanoseconds since 1970; 0 when there is none.
  std::int64_t newest_ns() const;
};

/// The files that `pattern` stands for: a file; a folder with everything below it; or a path with the wildcards `*`,
/// `?` and `[...]`, which do not cross a `/`. What writers use for themselves is left out: names that begin with `.` or
/// `_`, names that end in `.tmp`, `.part`, `.crc` or `.filepart`, empty files. Reads no content.
///
/// Errors: NotFound when the fixed part of the path does not exist, Io when a folder cannot be listed, Invalid when
/// there are more than kMostLandedFiles.
Result<LandedFiles> landed_files(const Files& files, const Path& pattern);

inline constexpr std::size_t kMostLandedFiles = 100'000;

/// Whether the path, links followed, lies in one of these folders or below; folders that do not exist hold nothing.
/// Errors: NotFound when the path does not exist.
Result<bool> lies_below(const Files& files, const Path& path, const std::vector<Path>& folders);

}  // namespace audiencesync
