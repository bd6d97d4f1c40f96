#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/emulator.h"

namespace audiencesync::testing {

/// An audience as a manifest declares it; "" leaves the key out.
struct Declared {
  std::string id;
  std::string name;
};

/// Whether somebody looks at Customer Journey Analytics. When nobody does, the account may not read it, and a sync is
/// done with its memberships; else it waits until a person has put the dataset into a connection.
enum class Analysts { Absent, Present };

/// An emulator, a settings file, one manifest, and the program: what an operator has in front of them.
class World {
 public:
  explicit World(Emulator::Options options = {}, Analysts analysts = Analysts::Absent);

  Emulator& emulator() { return *emulator_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path state() const { return folder_.path() / "emulator" / "config" / "state"; }

  // The manifest, written anew before each run.
  std::string name = "loyalty";
  std::string uid = "loyalty";
  std::vector<Declared> declared;  // default: all audiences of the emulator by id
  std::string normalize;           // identity.normalize; "" leaves the key out
  std::string extra;               // lines at the end
  std::string guard =
      "guard: { max_removals: 100%, max_audience_shrink: 100%, max_audience_growth: 100000%, "
      "allow_empty_audience: true }";
  std::filesystem::path manifest() const { return folder_.path() / "manifest.yaml"; }
  std::string manifest_text() const;

  /// Runs the program: `audiencesync WORDS... --config ... MANIFEST`.
  ProcessResult run(std::vector<std::string> words, const std::vector<std::string>& environment = {});
  ProcessResult apply(const std::vector<std::string>& more = {});
  ProcessResult plan(const std::vector<std::string>& more = {});
  /// The same with the program that has seams; `seam` as in seams.h.
  ProcessResult seamed(std::vector<std::string> words, const std::string& seam, const std::filesystem::path& count = {},
                       const std::string& before_manifest = "");
  ProcessResult seamed_apply(const std::string& seam, const std::filesystem::path& count = {});

  /// Goes back to a past run, with the program that has seams.
  ProcessResult seamed_rollback(std::int64_t run, const std::string& seam, const std::filesystem::path& count = {});

  /// `audiencesync forget` with these ids on stdin; `more` are options.
  ProcessResult seamed_forget(const std::set<std::string>& people, const std::string& seam,
                              const std::vector<std::string>& more = {}, const std::filesystem::path& count = {});

  /// The target dataset; throws unless there is exactly one.
  std::string target();
  /// What differs between the target and the truth, over the audiences declared; "" when nothing does.
  std::string difference();
  /// Batches of our datasets that are neither proven nor ended: "" when there are none, and no dataset twice.
  std::string leftovers();

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Emulator> emulator_;
  int runs_ = 0;
};

}  // namespace audiencesync::testing
