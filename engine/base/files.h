#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace audiencesync {

using Path = std::filesystem::path;

/// A file being written. Destroying it without `sync` leaves an unfinished file for `Files::remove`.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Everything written is on the disk when this returns; the writer is closed.
  virtual Result<void> sync() = 0;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  /// Fills `into` from `offset`; fewer bytes only at the end of the file. Safe for several threads.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  virtual std::uint64_t size() const = 0;
};

/// What is known of a file without opening it; links are followed.
struct FileFacts {
  enum class Kind { File, Folder, Other };
  Kind kind = Kind::Other;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, by the clock of the file system
};

/// The disk. The only way engine code touches it, so that tests can fail or kill at each durable write.
///
/// Everything it creates is private to the user: files 0600, folders 0700. Errors: NotFound, NoSpace, Io, with the
/// path. Thread-safe. The durable writes are: write_atomic, FileWriter::sync, rename, remove.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::string> read(const Path& path) const = 0;
  virtual Result<std::unique_ptr<FileReader>> open(const Path& path) const = 0;
  virtual Result<std::unique_ptr<FileWriter>> create(const Path& path) = 0;
  /// The file has the old or the new content, never a part, whatever is killed; synced when this returns.
  virtual Result<void> write_atomic(const Path& path, std::string_view content) = 0;
  /// Replaces `to`; the rename itself is synced when this returns.
  virtual Result<void> rename(const Path& from, const Path& to) = 0;
  /// Gone afterwards; a path that does not exist is fine. Folders go with their content.
  virtual Result<void> remove(const Path& path) = 0;
  virtual Result<void> make_folder(const Path& path) = 0;  // with its parents
  virtual bool exists(const Path& path) const = 0;
  virtual Result<std::uint64_t> size(const Path& path) const = 0;
  virtual Result<FileFacts> facts(const Path& path) const = 0;
  /// The same file, absolute and without links. Errors: NotFound.
  virtual Result<Path> real(const Path& path) const = 0;
  /// Names in a folder, sorted; empty when it does not exist.
  virtual Result<std::vector<std::string>> list(const Path& folder) const = 0;
};

/// The real disk.
class PosixFiles final : public Files {
 public:
  Result<std::string> read(const Path& path) const override;
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override;
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override;
  Result<void> write_atomic(const Path& path, std::string_view content) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> make_folder(const Path& path) override;
  bool exists(const Path& path) const override;
  Result<std::uint64_t> size(const Path& path) const override;
  Result<FileFacts> facts(const Path& path) const override;
  Result<Path> real(const Path& path) const override;
  Result<std::vector<std::string>> list(const Path& folder) const override;
};

}  // namespace audiencesync
