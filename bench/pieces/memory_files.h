#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "engine/base/files.h"

namespace audiencesync::bench {

/// Files in memory, so that a piece is measured without the kernel's part. What is written goes nowhere.
class MemoryFiles final : public Files {
 public:
  std::map<std::string, std::string> content;

  Result<std::string> read(const Path& path) const override {
    const auto found = content.find(path.string());
    return found == content.end() ? Result<std::string>(absent(path)) : Result<std::string>(found->second);
  }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override {
    const auto found = content.find(path.string());
    if (found == content.end()) return absent(path);
    return std::unique_ptr<FileReader>(std::make_unique<Reader>(found->second));
  }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override {
    return std::unique_ptr<FileWriter>(std::make_unique<Writer>(content[path.string()]));
  }
  Result<void> write_atomic(const Path& path, std::string_view text) override {
    content[path.string()] = std::string(text);
    return {};
  }
  Result<void> rename(const Path& from, const Path& to) override {
    content[to.string()] = std::move(content[from.string()]);
    content.erase(from.string());
    return {};
  }
  Result<void> remove(const Path& path) override {
    content.erase(path.string());
    return {};
  }
  Result<void> make_folder(const Path&) override { return {}; }
  bool exists(const Path& path) const override { return content.contains(path.string()); }
  Result<std::uint64_t> size(const Path& path) const override {
    const auto found = content.find(path.string());
    return found == content.end() ? Result<std::uint64_t>(absent(path)) : Result<std::uint64_t>(found->second.size());
  }
  Result<FileFacts> facts(const Path& path) const override {
    const auto bytes = size(path);
    if (!bytes.ok()) return bytes.error();
    return FileFacts{FileFacts::Kind::File, *bytes, 0};
  }
  Result<Path> real(const Path& path) const override {
    return exists(path) ? Result<Path>(path) : Result<Path>(absent(path));
  }
  Result<std::vector<std::string>> list(const Path&) const override { return std::vector<std::string>(); }

 private:
  static Error absent(const Path& path) {
    return Error(ErrorCode::NotFound, path.string() + ": there is no such file");
  }

  class Reader final : public FileReader {
   public:
    explicit Reader(const std::string& bytes) : bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      const auto count = offset < bytes_.size() ? std::min<std::size_t>(into.size(), bytes_.size() - offset) : 0;
      if (count > 0) std::memcpy(into.data(), bytes_.data() + offset, count);
      return count;
    }
    std::uint64_t size() const override { return bytes_.size(); }

   private:
    const std::string& bytes_;
  };

  class Writer final : public FileWriter {
   public:
    explicit Writer(std::string& bytes) : bytes_(bytes) { bytes_.clear(); }
    Result<void> write(std::string_view some) override {
      bytes_ += some;
      return {};
    }
    Result<void> sync() override { return {}; }

   private:
    std::string& bytes_;
  };
};

}  // namespace audiencesync::bench
