#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/files.h"

namespace audiencesync {
namespace {

Error file_error(const Path& path, const char* doing, int number) {
  const auto code = number == ENOENT                       ? ErrorCode::NotFound
                    : number == ENOSPC || number == EDQUOT ? ErrorCode::NoSpace
                                                           : ErrorCode::Io;
  return Error(code, fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(number)));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

Result<void> write_all(int descriptor, std::string_view bytes, const Path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return file_error(path, "write", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A rename or a new name is durable only when its folder is synced too.
Result<void> sync_folder(const Path& folder) {
  const Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.open()) return file_error(folder, "open", errno);
  if (::fsync(descriptor.number()) != 0 && errno != EINVAL) return file_error(folder, "sync", errno);
  return {};
}

class PosixWriter final : public FileWriter {
 public:
  PosixWriter(int descriptor, Path path) : descriptor_(descriptor), path_(std::move(path)) {}

  Result<void> write(std::string_view bytes) override { return write_all(descriptor_.number(), bytes, path_); }

  Result<void> sync() override {
    if (::fsync(descriptor_.number()) != 0) return file_error(path_, "sync", errno);
    descriptor_.close();
    return {};
  }

 private:
  Descriptor descriptor_;
  Path path_;
};

class PosixReader final : public FileReader {
 public:
  PosixReader(int descriptor, Path path, std::uint64_t size)
      : descriptor_(descriptor), path_(std::move(path)), size_(size) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto count =
          ::pread(descriptor_.number(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (count < 0) {
        if (errno == EINTR) continue;
        return file_error(path_, "read", errno);
      }
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  std::uint64_t size() const override { return size_; }

 private:
  Descriptor descriptor_;
  Path path_;
  std::uint64_t size_;
};

}  // namespace

Result<std::string> PosixFiles::read(const Path& path) const {
  auto reader = TRY(open(path));
  std::string content(reader->size(), '\0');
  const auto count = TRY(reader->read_at(0, content));
  content.resize(count);
  return content;
}

Result<std::unique_ptr<FileReader>> PosixFiles::open(const Path& path) const {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return file_error(path, "open", errno);
  struct stat about {};
  if (::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    const int number = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    ::close(descriptor);
    return file_error(path, "read", number);
  }
  return std::unique_ptr<FileReader>(
      std::make_unique<PosixReader>(descriptor, path, static_cast<std::uint64_t>(about.st_size)));
}

Result<std::unique_ptr<FileWriter>> PosixFiles::create(const Path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(path, "create", errno);
  return std::unique_ptr<FileWriter>(std::make_unique<PosixWriter>(descriptor, path));
}

Result<void> PosixFiles::write_atomic(const Path& path, std::string_view content) {
  const Path part = path.string() + ".part";
  {
    auto writer = TRY(create(part));
    auto written = writer->write(content);
    if (written.ok()) written = writer->sync();
    if (!written.ok()) {
      ::unlink(part.c_str());
      return written;
    }
  }
  return rename(part, path);
}

Result<void> PosixFiles::rename(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(from, "rename", errno);
  return sync_folder(to.parent_path());
}

Result<void> PosixFiles::remove(const Path& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) return file_error(path, "remove", failure.value());
  return {};
}

Result<void> PosixFiles::make_folder(const Path& path) {
  if (path.empty() || std::filesystem::is_directory(path)) return {};
  TRY(make_folder(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return file_error(path, "create", errno);
  return {};
}

bool PosixFiles::exists(const Path& path) const {
  std::error_code failure;
  return std::filesystem::exists(path, failure);
}

Result<std::uint64_t> PosixFiles::size(const Path& path) const {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return file_error(path, "inspect", errno);
  return static_cast<std::uint64_t>(about.st_size);
}

Result<std::vector<std::string>> PosixFiles::list(const Path& folder) const {
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    return file_error(folder, "list", failure.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace audiencesync
