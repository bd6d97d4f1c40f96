#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>

#include "daemon/gitops/git_checkout.h"
#include "daemon/service/descriptor.h"

namespace audiencesync {

/// A look at the remote that goes on in another process.
struct RunningLook {
  pid_t process = 0;
  Descriptor told;  // what it prints; ends when it ends
};

/// The first characters of a commit's id, for people.
std::string short_commit(const std::string& commit);

/// What a state says that people have to know, a line each: a commit that does not count, a remote that is gone.
std::vector<std::string> complaints_of(const GitState& state, const GitManifests& from);
/// What is to be said, but needs nobody: rewritten history, links that were passed over.
std::vector<std::string> warnings_of(const GitState& state);

/// What counts of a branch now: the manifests of its commit, and the complaints in `rejected`.
/// Errors: NotFound before the first good commit, with the reason; Corrupt, Io.
Result<ManifestSet> manifests_of_branch(const GitCheckout& checkout, const GitManifests& from,
                                        const ManifestRules& rules);

/// A branch of a remote repository. The network is another process's business: `load` gives at once what counts, and
/// when a look at the remote is over, `watch_fd` is readable.
class GitSource final : public ManifestSource {
 public:
  using StartLook = std::function<Result<RunningLook>()>;

  /// `files` and `rules` outlive the source. A look ends by itself.
  GitSource(Files& files, Path folder, GitManifests from, const ManifestRules& rules, StartLook start)
      : checkout_(files, std::move(folder)), from_(std::move(from)), rules_(rules), start_(std::move(start)) {}
  GitSource(const GitSource&) = delete;
  GitSource& operator=(const GitSource&) = delete;
  ~GitSource() override;

  Result<ManifestSet> load() override;
  int watch_fd() const override { return look_ ? look_->told.get() : -1; }
  Result<void> drain() override;
  Duration poll_interval() const override { return from_.poll; }
  std::string name() const override;

 private:
  void look_if_due();
  void reap();

  GitCheckout checkout_;
  const GitManifests from_;
  const ManifestRules& rules_;
  const StartLook start_;
  std::optional<RunningLook> look_;
  std::optional<std::chrono::steady_clock::time_point> last_look_;
  std::string told_;                // by the look that runs
  std::string failed_;              // why the last look could not even be made
  std::optional<ManifestSet> set_;  // of set_->commit, as judged
};

}  // namespace audiencesync
