#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/memberships.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {

/// Splits records into upload files smaller than a limit, between lines. Files appear whole; unless `finish` succeeds
/// none of them stays. Errors: NoSpace, Io, Invalid when one record alone exceeds the limit.
class UploadWriter {
 public:
  /// Removes the parts of an earlier attempt from `folder`.
  static Result<UploadWriter> start(Files& files, const Path& folder, std::uint64_t largest_part);
  UploadWriter(UploadWriter&&) noexcept = default;
  UploadWriter& operator=(UploadWriter&&) = delete;
  ~UploadWriter();

  /// Appends `lines` whole records, which stay in one file.
  Result<void> add(std::string_view records, std::size_t lines = 1);
  /// Whether that many bytes would begin another file.
  bool starts_part(std::size_t bytes) const { return !file_ || parts_.back().bytes + bytes >= largest_part_; }
  std::size_t parts() const { return parts_.size(); }
  Result<std::vector<UploadPart>> finish();

 private:
  UploadWriter(Files& files, Path folder, std::uint64_t largest_part);
  Result<void> flush();
  Result<void> close_part();

  Files* files_;
  Path folder_;
  std::uint64_t largest_part_;
  std::vector<UploadPart> parts_;  // the last one is open while `file_` is there
  std::optional<TempFile> file_;
  std::string buffer_;
};

}  // namespace audiencesync
