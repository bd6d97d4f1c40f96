#pragma once

#include <string>

#include "engine/model/plan.h"
#include "engine/report/figures.h"

namespace audiencesync {

enum class Purpose {
  Review,    // somebody decides: the last line says what to do next
  Applying,  // it is being applied, or asked about right now: no next command
};
enum class Style { Plain, Colour };

/// The plan as a person reads it: 80 columns, stable order, no colour needed. One line when there is nothing to do.
///
/// Header, attention, resources, memberships, samples, cost, summary; parts that are empty are left out. `now` only
/// serves to say how old the inputs are. Only what is to be typed may be wider than 80 columns. Holds no person id,
/// because a plan holds none.
std::string plan_text(const Plan& plan, Time now, Purpose purpose = Purpose::Review, Style style = Style::Plain);

}  // namespace audiencesync
