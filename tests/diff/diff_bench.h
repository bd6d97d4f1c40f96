#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "tests/support/process.h"

namespace audiencesync::testing {

/// Who is in what, by the ids of audiences.
using Truth = std::map<std::string, std::set<std::string>>;

/// What `diff` must print, the obvious way: person -> (entered, left).
using Changes = std::map<std::string, std::pair<std::set<std::string>, std::set<std::string>>>;
Changes changes_between(const Truth& from, const Truth& to);
/// The lines that `diff` printed. Fails the test when one is no such line, or a person comes twice.
Changes parse_changes(const std::string& lines);

/// A profile as an export has it; several may be one person's.
struct ExportedProfile {
  std::string person;
  struct Membership {
    std::string space;
    std::string audience;
    std::string status;
  };
  std::vector<Membership> memberships;
};

enum class ExportForm { Lines, Array, Gzip, Zstd, Parquet, Mixed };

/// Audiences a-0 to a-6, of which a manifest wants the first four; those four only count.
class DiffWorld {
 public:
  explicit DiffWorld(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }

  std::vector<ExportedProfile> profiles(std::size_t people);
  /// Some people change, come and go.
  std::vector<ExportedProfile> evolved(const std::vector<ExportedProfile>& profiles);
  static Truth truth(const std::vector<ExportedProfile>& profiles);
  /// Writes the profiles into a new folder, as one to four files.
  void write(const Path& folder, const std::vector<ExportedProfile>& profiles, ExportForm form);

 private:
  ExportedProfile profile(std::size_t number);
  std::mt19937_64 random_;
};

/// The program, a folder, a manifest that wants a-0 to a-3.
class DiffBench {
 public:
  DiffBench();
  const Path& folder() const { return folder_.path(); }
  Path manifest() const { return folder() / "manifest.yaml"; }
  /// For its temporary files.
  Path temporary() const { return folder() / "tmp"; }
  void write_manifest(const std::string& audiences);
  /// audiencesync diff MANIFEST WORDS...
  ProcessResult diff(std::vector<std::string> words) const;
  std::vector<std::string> command(const std::vector<std::string>& words) const;
  std::vector<std::string> environment() const { return {"TMPDIR=" + temporary().string()}; }
  /// A snapshot of what an export in this folder says, as a sync would have proven it.
  Path snapshot_of(const Path& exported, const std::string& name) const;

 private:
  TemporaryFolder folder_;
};

}  // namespace audiencesync::testing
