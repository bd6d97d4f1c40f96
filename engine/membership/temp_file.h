#pragma once

#include <memory>
#include <string_view>

#include "engine/base/files.h"

namespace audiencesync {

/// A file that is not finished: it goes with this object unless `publish` gave it its real name.
class TempFile {
 public:
  /// Errors: NoSpace, Io.
  static Result<TempFile> create(Files& files, const Path& path);
  TempFile(TempFile&& other) noexcept;
  TempFile& operator=(TempFile&&) = delete;
  ~TempFile();

  Result<void> write(std::string_view bytes);
  /// Durable and visible under `to`, complete, when this returns.
  Result<void> publish(const Path& to);
  /// Ends writing without asking the disk for durability, and opens the file for reading back.
  Result<std::unique_ptr<FileReader>> read_back();

 private:
  TempFile(Files& files, Path path, std::unique_ptr<FileWriter> writer);

  Files* files_;
  Path path_;
  std::unique_ptr<FileWriter> writer_;
  bool present_ = true;
};

}  // namespace audiencesync
