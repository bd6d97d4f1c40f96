#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/model/change.h"
#include "engine/model/finding.h"
#include "engine/model/outcome.h"

namespace audiencesync {

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Wait:
      return "wait";
    case Severity::Approve:
      return "approve";
    case Severity::Guard:
      return "guard";
    case Severity::Refuse:
      return "refuse";
  }
  return "note";
}

Value Finding::to_value() const {
  return Value::Object{{"severity", to_string(severity)}, {"code", code}, {"text", text}};
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Converged:
      return "converged";
    case Verdict::Pending:
      return "pending";
    case Verdict::Waiting:
      return "waiting";
    case Verdict::NotFinished:
      return "not_finished";
    case Verdict::Refused:
      return "refused";
    case Verdict::Failed:
      return "failed";
  }
  return "failed";
}

ExitCode exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::Converged:
      return ExitCode::Converged;
    case Verdict::Pending:
      return ExitCode::ChangesPending;
    case Verdict::Waiting:
      return ExitCode::Waits;
    case Verdict::NotFinished:
      return ExitCode::NotFinished;
    case Verdict::Refused:
      return ExitCode::Refused;
    case Verdict::Failed:
      return ExitCode::Failed;
  }
  return ExitCode::Failed;
}

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage:
      return ExitCode::Usage;
    case ErrorCode::Invalid:
    case ErrorCode::Unsupported:
      return ExitCode::Invalid;
    case ErrorCode::Refused:
    case ErrorCode::Conflict:
      return ExitCode::Refused;
    case ErrorCode::Authentication:
    case ErrorCode::Permission:
      return ExitCode::Access;
    case ErrorCode::Locked:
      return ExitCode::Locked;
    case ErrorCode::NotFinished:
      return ExitCode::NotFinished;
    case ErrorCode::Interrupted:
      return ExitCode::Interrupted;
    case ErrorCode::NotFound:
    case ErrorCode::Rejected:
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
    case ErrorCode::Unknown:
    case ErrorCode::Corrupt:
    case ErrorCode::Io:
    case ErrorCode::NoSpace:
    case ErrorCode::Internal:
      return ExitCode::Failed;
  }
  return ExitCode::Failed;
}

ExitCode worst(ExitCode left, ExitCode right) {
  static constexpr std::array kWorstFirst{ExitCode::Interrupted, ExitCode::Terminated,     ExitCode::Usage,
                                          ExitCode::Invalid,     ExitCode::Failed,         ExitCode::Access,
                                          ExitCode::Refused,     ExitCode::Locked,         ExitCode::NotFinished,
                                          ExitCode::Waits,       ExitCode::ChangesPending, ExitCode::Converged};
  const std::array both{left, right};
  const auto* const found = std::find_first_of(kWorstFirst.begin(), kWorstFirst.end(), both.begin(), both.end());
  return found == kWorstFirst.end() ? ExitCode::Failed : *found;
}

}  // namespace audiencesync
