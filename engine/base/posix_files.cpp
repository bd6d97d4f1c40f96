#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

// The part file of `write_atomic`, empty and locked, so that two writers of one path take turns. Not open on failure.
std::unique_ptr<Descriptor> open_part(const Path& part) {
  while (true) {
    auto descriptor = std::make_unique<Descriptor>(::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!descriptor->open()) return descriptor;
    while (::flock(descriptor->number(), LOCK_EX) != 0 && errno == EINTR) {
    }
    struct stat mine {};
    struct stat named {};
    // While we waited, the holder renamed the file to its final name: that one is no longer ours to write.
    if (::fstat(descriptor->number(), &mine) != 0 || ::stat(part.c_str(), &named) != 0 || mine.st_ino != named.st_ino) {
      continue;
    }
    if (::ftruncate(descriptor->number(), 0) != 0 || ::fchmod(descriptor->number(), 0600) != 0) descriptor->close();
    return descriptor;
  }
}

class PosixWriter final : public FileWriter {
 public:
  PosixWriter(int descriptor, Path path) : descriptor_(descriptor), path_(std::move(path)) {}

  Result<void> write(std::string_view bytes) override { return write_all(descriptor_.number(), bytes, path_); }

  Result<void> sync() override {
    if (::fsync(descriptor_.number()) != 0) return file_error(path_, "sync", errno);
    descriptor_.close();
    return sync_folder(path_.parent_path());
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
  auto writer = std::make_unique<PosixWriter>(descriptor, path);
  // A file that was there keeps its mode otherwise.
  if (::fchmod(descriptor, 0600) != 0) return file_error(path, "make private", errno);
  return std::unique_ptr<FileWriter>(std::move(writer));
}

Result<void> PosixFiles::write_atomic(const Path& path, std::string_view content) {
  const Path part = path.string() + ".part";
  const auto descriptor = open_part(part);
  if (descriptor->number() < 0) return file_error(part, "create", errno);
  auto written = write_all(descriptor->number(), content, part);
  if (written.ok() && ::fsync(descriptor->number()) != 0) written = file_error(part, "sync", errno);
  if (written.ok()) written = rename(part, path);
  if (!written.ok()) ::unlink(part.c_str());
  return written;
}

Result<void> PosixFiles::rename(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(from, "rename", errno);
  return sync_folder(to.parent_path());
}

Result<void> PosixFiles::remove(const Path& path) {
  std::error_code failure;
  const auto removed = std::filesystem::remove_all(path, failure);
  if (failure) return file_error(path, "remove", failure.value());
  if (removed == 0) return {};
  return sync_folder(path.parent_path());
}

Result<void> PosixFiles::make_folder(const Path& path) {
  std::error_code failure;
  if (path.empty() || std::filesystem::is_directory(path, failure)) return {};
  if (std::filesystem::exists(path, failure)) return file_error(path, "create", ENOTDIR);
  const auto parent = path.parent_path();
  TRY(make_folder(parent));
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};  // made by somebody else meanwhile
    return file_error(path, "create", errno);
  }
  return sync_folder(parent);
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

Result<FileFacts> PosixFiles::facts(const Path& path) const {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return file_error(path, "inspect", errno);
  FileFacts facts;
  if (S_ISREG(about.st_mode)) facts.kind = FileFacts::Kind::File;
  if (S_ISDIR(about.st_mode)) facts.kind = FileFacts::Kind::Folder;
  facts.bytes = static_cast<std::uint64_t>(about.st_size);
  facts.modified_ns = std::int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
  return facts;
}

Result<Path> PosixFiles::real(const Path& path) const {
  std::error_code failure;
  auto real = std::filesystem::canonical(path, failure);
  if (failure) return file_error(path, "follow", failure.value());
  return real;
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
