#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "engine/base/files.h"

namespace audiencesync {

/// A disk on which what lies below one folder never grows beyond a number of bytes, whatever the input.
///
/// Counts the files that are there when it is made, and from then on what is written, replaced and removed through it.
/// A write that would pass the cap fails with NoSpace before it reaches the disk; the unfinished file is for its writer
/// to remove. Paths elsewhere pass uncounted. What other processes or libraries write there meanwhile is not seen until
/// the next one is made. Thread-safe when the disk is; cost: one `facts` for each file that is replaced or removed.
class CappedFiles final : public Files {
 public:
  /// `disk` must outlive this. `option` is how the error calls the cap: "limits.disk".
  CappedFiles(Files& disk, Path folder, std::uint64_t cap, std::string option);

  std::uint64_t used() const { return *used_; }

  /// Counts a file that a library writes at `path` by itself, in `write`: `most` bytes are taken while that works, and
  /// afterwards what is there. NoSpace before it begins when those would pass the cap; also when it left more than that
  /// and the cap is passed, and then the file is gone.
  Result<void> count_foreign(const Path& path, std::uint64_t most, const std::function<Result<void>()>& write);

  Result<std::string> read(const Path& path) const override { return disk_.read(path); }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return disk_.open(path); }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override;
  Result<void> write_atomic(const Path& path, std::string_view content) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> make_folder(const Path& path) override { return disk_.make_folder(path); }
  bool exists(const Path& path) const override { return disk_.exists(path); }
  Result<std::uint64_t> size(const Path& path) const override { return disk_.size(path); }
  Result<FileFacts> facts(const Path& path) const override { return disk_.facts(path); }
  Result<Path> real(const Path& path) const override { return disk_.real(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override { return disk_.list(folder); }

 private:
  friend class CappedWriter;
  using Counter = std::shared_ptr<std::atomic<std::uint64_t>>;

  bool counts(const Path& path) const;
  std::uint64_t bytes_at(const Path& path) const;
  Result<void> take(const Path& path, std::uint64_t bytes) const;
  void give_back(std::uint64_t bytes) const;

  Files& disk_;
  Path folder_;
  std::uint64_t cap_;
  std::string option_;
  Counter used_;
};

}  // namespace audiencesync
