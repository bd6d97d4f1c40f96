#pragma once

#include <string>

#include "engine/model/plan.h"

namespace audiencesync {

/// The plan as a person reads it: 80 columns, stable order, no colour. One line when there is nothing to do.
///
/// `now` only serves to say how old the inputs are. Holds no person id, because a plan holds none.
std::string plan_text(const Plan& plan, Time now);

/// `90 s`, `12 min`, `3 h`, `5 d`: how long ago, in the largest unit that keeps it readable.
std::string age_text(Duration age);

}  // namespace audiencesync
