#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/gitops/git_repository.h"
#include "daemon/service/manifest_source.h"
#include "engine/base/value.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// What is known of a branch after a look at it.
struct GitState {
  struct Refusal {
    std::string commit;
    Time since{};
    std::vector<std::string> problems;
  };
  struct Unreached {
    Time since{};
    std::string why;
  };
  struct Rewritten {
    std::string from;
    std::string to;
    Time at{};
  };

  std::string commit;                  // that counts; "" before the first good one
  std::string branch;                  // that it is of
  std::string path;                    // and the folder in it
  std::string signer;                  // of it, "" when nobody asked
  std::vector<std::string> warnings;   // about it
  std::optional<Refusal> refused;      // a newer commit that does not count
  std::optional<Unreached> unreached;  // the remote, in one go
  std::optional<Rewritten> rewritten;  // the commit that counts does not follow the one before it
  std::optional<Time> looked;          // at the remote, with success

  Value to_value() const;
  /// Errors: Corrupt.
  static Result<GitState> from_value(const Value& value);
};

/// Brings the manifests of a branch into a folder of the state and says which commit counts.
///
/// Below `folder`: `repository`, a bare copy; `commits/ID.json`, the manifests of the commit that counts, and of the
/// one before when history was rewritten; `branch.json`, the state. That file is replaced as a whole and last, so
/// whoever reads it finds the commit it names, whatever is killed. One process at a time may look; any may read.
class GitCheckout {
 public:
  GitCheckout(Files& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  Path repository() const { return folder_ / "repository"; }

  /// Looks at the remote once and takes its newest commit over when that is as it must be: signed if that is required,
  /// within the limits, and every manifest of it good. Otherwise the commit before goes on counting. A remote that
  /// cannot be reached, and a commit that does not count, are part of the state, not errors.
  /// Errors: of the folder; NotFound, Permission of the file with the password.
  Result<GitState> look(GitRepository& repository, const GitManifests& from, const ManifestRules& rules, Time now);

  /// As of the last look; empty before the first. Errors: Corrupt, Io.
  Result<GitState> state() const;
  /// The manifests of the commit that counts. Errors: NotFound before there is one; Corrupt, Io.
  Result<ManifestTexts> texts(const GitState& state) const;

 private:
  Result<void> take_over(GitRepository& repository, const GitManifests& from, const ManifestRules& rules,
                         const std::string& newest, Time now, GitState& state);
  Result<void> write_commit(const std::string& commit, const ManifestTexts& texts);
  Result<void> remove_others(const std::string& kept, const std::string& also_kept);
  Result<Secret> password(const GitManifests& from) const;

  Files& files_;
  Path folder_;
};

}  // namespace audiencesync
