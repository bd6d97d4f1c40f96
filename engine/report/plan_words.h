#pragma once

#include <string>
#include <vector>

#include "engine/model/plan.h"

namespace audiencesync {

/// What the text and the Markdown form of a plan have in common: the words, not how they are laid out.

/// The beginning of a digest that people see and type.
std::string short_digest(const Digest& digest);

/// True for a plan that has nothing to say but when it was made: no change, no hold, nothing above a note.
bool nothing_to_do(const Plan& plan);
/// `luma: nothing to do as of export TIME (AGE)`.
std::string nothing_to_do_text(const Plan& plan, Time now);

/// Severest first, else as found.
std::vector<Finding> findings_by_severity(const Plan& plan);
std::vector<Change> person_actions(const Plan& plan);

/// `passed`, `2 tripped`, `let through by ada`, `known after the export`.
std::string guards_text(const Plan& plan);
/// `export TIME (8 h old)`, or that there is none that can be used.
std::string inputs_text(const Plan& plan, Time now);
/// How a held plan stands, behind the word "held" or "approved"; "" when the plan is not held.
std::string hold_text(const Plan& plan, Time now);

enum class AudienceVerdict { Ok, Guard, Held, Withdrawn, Renamed, Emptied };
const char* to_string(AudienceVerdict verdict);
/// What the findings say about one row of the memberships.
AudienceVerdict audience_verdict(const Plan& plan, const AudienceDelta& audience);

/// The stages in order, each with what changes in it.
struct StageChanges {
  StageState stage;
  std::vector<Change> refresh;
  std::vector<Change> changes;
};
std::vector<StageChanges> changes_by_stage(const Plan& plan);

/// What is uploaded and what it takes, a sentence each; empty when nothing is written.
std::vector<std::string> cost_texts(const Plan& plan);

/// `2 changes, 8 people written, 1 step for a person`.
std::string summary_text(const Plan& plan);

/// What to do next: a few words and what to type, either may be empty.
struct NextStep {
  std::string text;
  std::string command;
};
NextStep next_step(const Plan& plan);
/// `audiencesync approve DIGEST --reason "..."`.
std::string approve_command_line(const Plan& plan);

}  // namespace audiencesync
