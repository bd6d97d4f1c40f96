#include "engine/membership/upload_writer.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

constexpr std::size_t kUploadBuffer = 256 << 10;

}  // namespace

UploadWriter::UploadWriter(Files& files, Path folder, std::uint64_t largest_part)
    : files_(&files), folder_(std::move(folder)), largest_part_(largest_part) {}

Result<UploadWriter> UploadWriter::start(Files& files, const Path& folder, std::uint64_t largest_part) {
  TRY(files.make_folder(folder));
  const auto names = TRY(files.list(folder));
  for (const auto& name : names) {
    if (name.starts_with("part-")) TRY(files.remove(folder / name));
  }
  return UploadWriter(files, folder, largest_part);
}

UploadWriter::~UploadWriter() {
  file_.reset();
  for (const auto& part : parts_) (void)files_->remove(part.path);
}

Result<void> UploadWriter::flush() {
  if (buffer_.empty()) return {};
  TRY(file_->write(buffer_));
  buffer_.clear();
  return {};
}

Result<void> UploadWriter::close_part() {
  if (!file_) return {};
  TRY(flush());
  TRY(file_->publish(parts_.back().path));
  file_.reset();
  return {};
}

Result<void> UploadWriter::add(std::string_view records, std::size_t lines) {
  if (records.size() >= largest_part_) {
    return Error(ErrorCode::Invalid,
                 fmt::format("one record has {} bytes, an upload file must stay under {}; the relation "
                             "has too many audiences or too long names",
                             records.size(), largest_part_));
  }
  if (starts_part(records.size())) TRY(close_part());
  if (!file_) {
    UploadPart part;
    part.name = fmt::format("part-{:05}.jsonl", parts_.size());
    part.path = part.lines = folder_ / part.name;
    auto file = TRY(TempFile::create(*files_, part.path.string() + ".tmp"));
    file_.emplace(std::move(file));
    parts_.push_back(std::move(part));
  }
  parts_.back().bytes += records.size();
  parts_.back().records += lines;
  buffer_ += records;
  if (buffer_.size() >= kUploadBuffer) TRY(flush());
  return {};
}

Result<std::vector<UploadPart>> UploadWriter::finish() {
  TRY(close_part());
  return std::exchange(parts_, {});
}

}  // namespace audiencesync
