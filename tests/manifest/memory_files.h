#pragma once

#include <map>
#include <string>

#include "engine/base/files.h"

namespace audiencesync {

/// Files that exist only here, for reading. Knows which were read.
class MemoryFiles final : public Files {
 public:
  MemoryFiles() = default;
  MemoryFiles(std::initializer_list<std::pair<const std::string, std::string>> content) : content_(content) {}

  void put(const std::string& path, std::string text) { content_[path] = std::move(text); }
  int reads() const { return reads_; }

  Result<std::string> read(const Path& path) const override {
    ++reads_;
    const auto found = content_.find(path.string());
    if (found == content_.end()) return missing(path);
    return found->second;
  }
  bool exists(const Path& path) const override { return content_.contains(path.string()); }
  Result<std::uint64_t> size(const Path& path) const override {
    const auto found = content_.find(path.string());
    if (found == content_.end()) return missing(path);
    return std::uint64_t{found->second.size()};
  }

  Result<Path> real(const Path& path) const override { return path; }
  Result<FileFacts> facts(const Path& path) const override { return unused(path); }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return unused(path); }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override { return unused(path); }
  Result<void> write_atomic(const Path& path, std::string_view) override { return unused(path); }
  Result<void> rename(const Path& from, const Path&) override { return unused(from); }
  Result<void> remove(const Path& path) override { return unused(path); }
  Result<void> make_folder(const Path& path) override { return unused(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override { return unused(folder); }

 private:
  static Error missing(const Path& path) { return Error(ErrorCode::NotFound, path.string() + ": cannot open"); }
  static Error unused(const Path& path) { return Error(ErrorCode::Internal, path.string() + ": not expected here"); }

  std::map<std::string, std::string> content_;
  mutable int reads_ = 0;
};

}  // namespace audiencesync
