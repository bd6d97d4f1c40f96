#include "engine/membership/landed_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

// A folder that contains a link to itself ends here.
constexpr int kDeepestFolder = 32;

bool has_wildcard(const std::string& part) { return part.find_first_of("*?[") != std::string::npos; }

// Spark and others keep markers and unfinished files beside the data.
bool is_for_writers(const std::string& name) {
  static constexpr std::array<std::string_view, 4> kUnfinished{".tmp", ".part", ".crc", ".filepart"};
  if (name.empty() || name.front() == '.' || name.front() == '_') return true;
  return std::any_of(kUnfinished.begin(), kUnfinished.end(), [&](auto ending) { return name.ends_with(ending); });
}

Result<void> add_landed(const Files& files, const Path& path, int depth, LandedFiles& landed) {
  const auto facts = TRY(files.facts(path));
  if (facts.kind == FileFacts::Kind::Folder) {
    if (depth == kDeepestFolder) {
      return Error(ErrorCode::Invalid, fmt::format("{}: folders below it are nested more than {} deep, perhaps a link "
                                                   "leads back; name the folder with the files",
                                                   path.string(), kDeepestFolder));
    }
    for (const auto& name : TRY(files.list(path))) {
      if (!is_for_writers(name)) TRY(add_landed(files, path / name, depth + 1, landed));
    }
    return {};
  }
  if (facts.kind != FileFacts::Kind::File || facts.bytes == 0) return {};
  if (landed.files.size() == kMostLandedFiles) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{}: more than {} files; name a folder with fewer", path.string(), kMostLandedFiles));
  }
  landed.files.push_back({path, facts.bytes, facts.modified_ns});
  return {};
}

Result<void> expand(const Files& files, const Path& so_far, std::vector<std::string>::const_iterator part,
                    std::vector<std::string>::const_iterator end, LandedFiles& landed) {
  if (part == end) return add_landed(files, so_far, 0, landed);
  if (!has_wildcard(*part)) {
    const auto next = so_far / *part;
    return expand(files, next, std::next(part), end, landed);
  }
  for (const auto& name : TRY(files.list(so_far))) {
    if (is_for_writers(name) || ::fnmatch(part->c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    const auto next = so_far / name;
    if (std::next(part) != end && TRY(files.facts(next)).kind != FileFacts::Kind::Folder) continue;
    if (std::next(part) != end && !has_wildcard(*std::next(part)) && !files.exists(next / *std::next(part))) continue;
    TRY(expand(files, next, std::next(part), end, landed));
  }
  return {};
}

}  // namespace

std::string LandedFiles::id() const {
  std::string all;
  for (const auto& file : files) {
    all += fmt::format("{}\x1F{}\x1F{}\n", file.path.string(), file.bytes, file.modified_ns);
  }
  return "files-" + sha256(all).substr(0, 32);
}

std::uint64_t LandedFiles::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.bytes;
  return sum;
}

std::int64_t LandedFiles::newest_ns() const {
  std::int64_t newest = 0;
  for (const auto& file : files) newest = std::max(newest, file.modified_ns);
  return newest;
}

Result<LandedFiles> landed_files(const Files& files, const Path& pattern) {
  LandedFiles landed;
  std::vector<std::string> parts;
  for (const auto& part : pattern.relative_path()) {
    if (!part.empty()) parts.push_back(part.string());
  }
  TRY(expand(files, pattern.root_path(), parts.cbegin(), parts.cend(), landed));
  std::sort(landed.files.begin(), landed.files.end(),
            [](const LandedFile& left, const LandedFile& right) { return left.path < right.path; });
  return landed;
}

Result<bool> lies_below(const Files& files, const Path& path, const std::vector<Path>& folders) {
  const auto real = TRY(files.real(path));
  for (const auto& folder : folders) {
    const auto root = files.real(folder);
    if (!root.ok()) continue;
    const auto at = std::mismatch(root->begin(), root->end(), real.begin(), real.end());
    if (at.first == root->end()) return true;
  }
  return false;
}

}  // namespace audiencesync
