#include "engine/membership/temp_file.h"

#include <utility>

namespace audiencesync {

Result<TempFile> TempFile::create(Files& files, const Path& path) {
  TRY(files.make_folder(path.parent_path()));
  auto writer = files.create(path);
  if (!writer.ok()) {
    (void)files.remove(path);  // a failed create may have left an empty file
    return std::move(writer).error();
  }
  return TempFile(files, path, std::move(writer).take());
}

TempFile::TempFile(Files& files, Path path, std::unique_ptr<FileWriter> writer)
    : files_(&files), path_(std::move(path)), writer_(std::move(writer)) {}

TempFile::TempFile(TempFile&& other) noexcept
    : files_(other.files_),
      path_(std::move(other.path_)),
      writer_(std::move(other.writer_)),
      present_(std::exchange(other.present_, false)) {}

TempFile::~TempFile() {
  writer_.reset();
  if (present_) (void)files_->remove(path_);  // what stays is removed with the folder at the next start
}

Result<void> TempFile::write(std::string_view bytes) { return writer_->write(bytes); }

Result<void> TempFile::publish(const Path& to) {
  TRY(writer_->sync());
  writer_.reset();
  TRY(files_->rename(path_, to));
  present_ = false;
  return {};
}

Result<std::unique_ptr<FileReader>> TempFile::read_back() {
  writer_.reset();
  return files_->open(path_);
}

}  // namespace audiencesync
