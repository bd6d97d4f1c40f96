#pragma once

#include <string>
#include <vector>

#include "engine/model/plan.h"
#include "engine/report/plan_words.h"

namespace audiencesync {

/// One row of the membership table, ready to be laid out.
struct MembershipLine {
  std::string text;  // 80 columns at most, without line break
  AudienceVerdict verdict = AudienceVerdict::Ok;
};

/// `audience  before → after  +entered  −left  Δ%  runs  verdict`: the heading first, then a row for each audience
/// in the order of the plan. Columns are as wide as their figures need; names get the rest and are cut to it. Figures
/// are shortened (12.3M) when names would get less than 16 columns.
std::vector<MembershipLine> membership_table(const Plan& plan);

}  // namespace audiencesync
