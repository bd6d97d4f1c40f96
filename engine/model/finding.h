#pragma once

#include <string>
#include <vector>

#include "engine/base/value.h"

namespace audiencesync {

enum class Severity {
  Note,     // worth a line in the plan
  Warning,  // worth attention, stops nothing
  Wait,     // nothing is wrong, but the rest of the plan is known only later
  Approve,  // needs an approval; a confirmed apply is one
  Guard,    // a guard tripped: only `approve` with a reason lets exactly this plan through
  Refuse,   // this sync must not be applied as things are; no approval helps
};

const char* to_string(Severity severity);

/// Something an observation found that is no resource: drift, a held audience, another writer.
struct Finding {
  Severity severity = Severity::Note;
  std::string code;  // constant, searchable: "another-writer"
  std::string text;  // one sentence with the way out

  Value to_value() const;
  friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace audiencesync
