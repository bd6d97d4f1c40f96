#pragma once

#include <optional>
#include <string>

#include "engine/base/error.h"

namespace audiencesync {

/// How a run ended; every run ends in exactly one.
enum class Verdict {
  Converged,    // desired = actual, proven
  Pending,      // a dry run found changes
  Waiting,      // for a person or an approval
  NotFinished,  // the platform still works; run again later
  Refused,      // guard, stale plan, another writer
  Failed,
};

const char* to_string(Verdict verdict);

/// Exit codes of the command line (README has the table); the numbers are a contract.
enum class ExitCode : int {
  Converged = 0,
  Failed = 1,
  ChangesPending = 2,
  Waits = 3,
  Refused = 4,
  NotFinished = 5,
  Locked = 6,
  Access = 7,
  Usage = 64,
  Invalid = 65,
  Interrupted = 130,
  Terminated = 143,
};

/// The code a failed run ends with.
ExitCode exit_code(ErrorCode code);
ExitCode exit_code(Verdict verdict);
/// Of several syncs: the first present of 1, 7, 4, 6, 5, 3, 2, 0; interruption and bad input before all of them.
ExitCode worst(ExitCode left, ExitCode right);

}  // namespace audiencesync
