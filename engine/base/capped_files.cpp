#include "engine/base/capped_files.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync {

/// Counts each write before it is made.
class CappedWriter final : public FileWriter {
 public:
  CappedWriter(const CappedFiles& files, Path path, std::unique_ptr<FileWriter> file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}

  Result<void> write(std::string_view bytes) override {
    TRY(files_.take(path_, bytes.size()));
    return file_->write(bytes);
  }
  Result<void> sync() override { return file_->sync(); }

 private:
  const CappedFiles& files_;
  Path path_;
  std::unique_ptr<FileWriter> file_;
};

CappedFiles::CappedFiles(Files& disk, Path folder, std::uint64_t cap, std::string option)
    : disk_(disk),
      folder_(folder.lexically_normal()),
      cap_(cap),
      option_(std::move(option)),
      used_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  *used_ = bytes_at(folder_);
}

bool CappedFiles::counts(const Path& path) const {
  const auto normal = path.lexically_normal();
  return std::mismatch(folder_.begin(), folder_.end(), normal.begin(), normal.end()).first == folder_.end();
}

std::uint64_t CappedFiles::bytes_at(const Path& path) const {
  const auto facts = disk_.facts(path);
  if (!facts.ok()) return 0;
  if (facts->kind != FileFacts::Kind::Folder) return facts->bytes;
  std::uint64_t sum = 0;
  const auto names = disk_.list(path);
  if (!names.ok()) return 0;
  for (const auto& name : *names) sum += bytes_at(path / name);
  return sum;
}

Result<void> CappedFiles::take(const Path& path, std::uint64_t bytes) const {
  if (used_->fetch_add(bytes) + bytes <= cap_) return {};
  give_back(bytes);
  return Error(ErrorCode::NoSpace,
               fmt::format("{}: cannot write: {} would hold more than {} allows ({} bytes); raise it, or make room",
                           path.string(), folder_.string(), option_, cap_));
}

// Never below nothing: somebody else may have written what is removed here.
void CappedFiles::give_back(std::uint64_t bytes) const {
  auto used = used_->load();
  while (!used_->compare_exchange_weak(used, used - std::min(used, bytes))) {
  }
}

Result<std::unique_ptr<FileWriter>> CappedFiles::create(const Path& path) {
  if (!counts(path)) return disk_.create(path);
  const auto before = bytes_at(path);
  auto file = TRY(disk_.create(path));
  give_back(before);
  return std::unique_ptr<FileWriter>(std::make_unique<CappedWriter>(*this, path, std::move(file)));
}

Result<void> CappedFiles::write_atomic(const Path& path, std::string_view content) {
  if (!counts(path)) return disk_.write_atomic(path, content);
  const auto before = bytes_at(path);
  TRY(take(path, content.size()));
  auto written = disk_.write_atomic(path, content);
  give_back(written.ok() ? before : content.size());
  return written;
}

Result<void> CappedFiles::count_foreign(const Path& path, std::uint64_t most,
                                        const std::function<Result<void>()>& write) {
  if (!counts(path)) return write();
  TRY(remove(path));
  TRY(take(path, most));
  auto written = write();
  give_back(most);
  const auto left = bytes_at(path);
  auto kept = take(path, left);
  if (!kept.ok()) TRY(disk_.remove(path));
  return written.ok() ? std::move(kept) : std::move(written);
}

Result<void> CappedFiles::rename(const Path& from, const Path& to) {
  const auto replaced = counts(to) ? bytes_at(to) : 0;
  const auto moved = counts(from) == counts(to) ? 0 : bytes_at(from);
  if (counts(to) && moved > 0) TRY(take(to, moved));
  auto done = disk_.rename(from, to);
  if (!done.ok()) {
    if (counts(to)) give_back(moved);
    return done;
  }
  give_back(replaced + (counts(from) && !counts(to) ? moved : 0));
  return done;
}

Result<void> CappedFiles::remove(const Path& path) {
  const auto before = counts(path) ? bytes_at(path) : 0;
  TRY(disk_.remove(path));
  give_back(before);
  return {};
}

}  // namespace audiencesync
