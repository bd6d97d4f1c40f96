#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "daemon/adapters.h"
#include "engine/manifest/credentials.h"
#include "engine/reconcile/run.h"
#include "plugins/membership/verify.h"

namespace audiencesync {

/// Everything one sync needs for one run: the platform's clients for its organisation and sandbox, its folders in the
/// state, its engine. The composition root of a run.
class Session {
 public:
  struct Parts;

  /// Finds the credential and opens the folders; talks to the platform once, to learn its clock and that we may.
  /// `stages`: others than those of the program.
  /// Errors: Invalid for an unknown organisation, those of the credential, Authentication, Permission.
  static Result<std::unique_ptr<Session>> open(const Adapters& adapters, const Settings& settings,
                                               const Manifest& manifest, Store& store, std::stop_token stop,
                                               std::optional<Registry> stages = {});
  ~Session();

  RunResult run(const RunOptions& options);
  /// The rows of the target dataset beside the proven snapshot. Errors: as verify_rows.
  Result<RowVerification> verify(const VerifyOptions& options);
  /// Server time, for texts that say how old something is.
  Time now() const;

 private:
  explicit Session(std::unique_ptr<Parts> parts);
  void finish_forgetting();
  void clean_up();
  Result<std::set<Digest>> keep_history(const std::string& relation);

  std::unique_ptr<Parts> parts_;
};

/// The stages of this program.
Result<Registry> program_stages();

}  // namespace audiencesync
