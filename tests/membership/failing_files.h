#pragma once

#include <memory>

#include "engine/base/files.h"

namespace audiencesync::testing {

/// The real disk until the n-th change to it, counted from 1; from then on it is full, or the process is "dead":
/// nothing happens any more, not even removing. The failing write leaves half of its bytes.
class FailingFiles final : public Files {
 public:
  enum class Fails { Full, Dead };
  FailingFiles(Fails how, int at) : how_(how), at_(at) {}

  int changes() const { return changes_; }

  Result<std::string> read(const Path& path) const override { return disk_.read(path); }
  Result<std::unique_ptr<FileReader>> open(const Path& path) const override { return disk_.open(path); }
  Result<std::unique_ptr<FileWriter>> create(const Path& path) override {
    TRY(step(path));
    auto writer = TRY(disk_.create(path));
    return std::unique_ptr<FileWriter>(std::make_unique<Writer>(*this, std::move(writer), path));
  }
  Result<void> write_atomic(const Path& path, std::string_view content) override {
    TRY(step(path));
    return disk_.write_atomic(path, content);
  }
  Result<void> rename(const Path& from, const Path& to) override {
    TRY(step(from));
    return disk_.rename(from, to);
  }
  Result<void> remove(const Path& path) override {
    if (how_ == Fails::Dead && changes_ >= at_) return failure(path);
    return disk_.remove(path);  // a full disk can still give back
  }
  Result<void> make_folder(const Path& path) override {
    if (disk_.exists(path)) return {};
    TRY(step(path));
    return disk_.make_folder(path);
  }
  bool exists(const Path& path) const override { return disk_.exists(path); }
  Result<std::uint64_t> size(const Path& path) const override { return disk_.size(path); }
  Result<Path> real(const Path& path) const override { return disk_.real(path); }
  Result<FileFacts> facts(const Path& path) const override { return disk_.facts(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override { return disk_.list(folder); }

 private:
  class Writer final : public FileWriter {
   public:
    Writer(FailingFiles& files, std::unique_ptr<FileWriter> writer, Path path)
        : files_(files), writer_(std::move(writer)), path_(std::move(path)) {}
    Result<void> write(std::string_view bytes) override {
      const bool failed_before = files_.changes_ >= files_.at_;
      const auto stepped = files_.step(path_);
      if (!stepped.ok()) {
        if (!failed_before) (void)writer_->write(bytes.substr(0, bytes.size() / 2));
        return stepped;
      }
      return writer_->write(bytes);
    }
    Result<void> sync() override {
      TRY(files_.step(path_));
      return writer_->sync();
    }

   private:
    FailingFiles& files_;
    std::unique_ptr<FileWriter> writer_;
    Path path_;
  };

  Error failure(const Path& path) const {
    return Error(how_ == Fails::Full ? ErrorCode::NoSpace : ErrorCode::Io, path.string() + ": cannot write");
  }
  Result<void> step(const Path& path) {
    if (changes_ >= at_) return failure(path);
    if (++changes_ == at_) return failure(path);
    return {};
  }

  PosixFiles disk_;
  Fails how_;
  int at_;
  int changes_ = 0;
};

}  // namespace audiencesync::testing
