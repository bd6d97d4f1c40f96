#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/service/manifest_texts.h"
#include "engine/base/secret.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// A commit's signature and the bytes it is of.
struct CommitSignature {
  std::string signature;  // armoured, as git keeps it
  std::string content;
};

/// The manifest files of a commit.
struct CommitTexts {
  ManifestTexts texts;                // by path from the root of the repository
  std::vector<std::string> problems;  // what must not be there: links and submodules in the place of manifests
  std::vector<std::string> warnings;  // what was passed over
};

inline constexpr std::size_t kMostManifestBytes = 64 * 1024 * 1024;   // of one commit
inline constexpr std::size_t kMostFetchedBytes = 1024 * 1024 * 1024;  // of one look at a remote

/// A local copy of a remote repository. Used by one thread; may hang as long as its network does.
class GitRepository {
 public:
  virtual ~GitRepository() = default;

  /// Asks the remote for the branch and gets what is new of it. Gives the id of its newest commit.
  /// No configuration of this machine or of a user counts, no hook runs, redirects are not followed.
  /// Errors: Unavailable, Authentication; NotFound when there is no such branch, with those there are.
  virtual Result<std::string> fetch(const GitManifests& from, const Secret& password) = 0;

  /// Whether `commit` has `ancestor` among those before it. False also when `ancestor` is not known any more.
  virtual bool follows(const std::string& commit, const std::string& ancestor) const = 0;

  /// nullopt when it is not signed. Errors: Corrupt.
  virtual Result<std::optional<CommitSignature>> signature(const std::string& commit) const = 0;

  /// What is in the folder `path` ("" for all) of a commit and below: *.yaml and *.yml but for names that begin with a
  /// dot. Links and submodules are never followed.
  /// Errors: NotFound without such a folder; Invalid above the limits; Corrupt.
  virtual Result<CommitTexts> texts(const std::string& commit, const std::string& path) const = 0;
};

}  // namespace audiencesync
