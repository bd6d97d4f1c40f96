#include "daemon/service/folder_scan.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace audiencesync {
namespace {

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

bool is_manifest_name(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

Error scan_error(const Path& path, const char* doing, int number) {
  return Error(number == ENOENT || number == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io,
               fmt::format("{}: cannot {}: {}", path.string(), doing, std::strerror(number)));
}

class Scanner {
 public:
  Result<void> scan(const Path& folder, int depth) {
    if (depth > kDeepestManifestFolder) {
      return Error(ErrorCode::Invalid, fmt::format("{}: more than {} folders below each other; move the manifests up",
                                                   folder.string(), kDeepestManifestFolder));
    }
    std::error_code failure;
    const auto real = std::filesystem::canonical(folder, failure);
    if (failure) return scan_error(folder, "open", failure.value());
    if (!visited_.insert(real.string()).second) return {};
    out.folders.insert(real.string());
    const auto names = TRY(names_in(folder));
    for (const auto& name : names) TRY(look_at(folder / name, name, depth));
    return {};
  }

  FolderScan out;

 private:
  static Result<std::vector<std::string>> names_in(const Path& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
    if (!open) return scan_error(folder, "list", errno);
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(open.get())) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    if (errno != 0) return scan_error(folder, "list", errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> look_at(const Path& path, const std::string& name, int depth) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
      // Gone since it was listed, or a link to nothing: only the latter is news, and only under such a name.
      struct stat link {};
      if (is_manifest_name(name) && ::lstat(path.c_str(), &link) == 0) {
        out.unreadable[path.string()] = fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno));
      }
      return {};
    }
    if (S_ISDIR(about.st_mode)) return scan(path, depth + 1);
    if (!is_manifest_name(name)) return {};
    if (!S_ISREG(about.st_mode)) {
      out.unreadable[path.string()] = fmt::format("{}: is no file; remove it, or give it another name", path.string());
      return {};
    }
    if (out.files.size() >= kMostManifestFiles) {
      return Error(ErrorCode::Invalid, fmt::format("{}: more than {} manifests; use several daemons",
                                                   path.parent_path().string(), kMostManifestFiles));
    }
    out.files[path.string()] = {about.st_dev, about.st_ino, static_cast<std::uint64_t>(about.st_size),
                                nanoseconds(about.st_mtim), nanoseconds(about.st_ctim)};
    // What a link leads to may be changed in its own place.
    std::error_code failure;
    if (std::filesystem::is_symlink(path, failure)) {
      const auto real = std::filesystem::canonical(path, failure);
      if (!failure) out.folders.insert(real.parent_path().string());
    }
    return {};
  }

  std::set<std::string> visited_;
};

}  // namespace

FolderScan scan_folder(const Path& folder) {
  Scanner scanner;
  if (auto done = scanner.scan(folder, 0); !done.ok()) scanner.out.failure = std::move(done).error();
  return std::move(scanner.out);
}

}  // namespace audiencesync
