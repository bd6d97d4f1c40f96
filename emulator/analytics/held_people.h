#pragma once

#include "emulator/analytics/held_rows.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"

namespace emulator {

/// `GET /_emulator/analytics/{connection}?dataset=ID[&now=true]`: NDJSON of what Analytics holds of each person of a
/// profile data set under the row rule: {"person","audiences":[{"id","name"}]}, also of people in no audience. With
/// `now=true` the delays are taken as over. In the order of the person ids.
void add_held_people(Router& router, Platform& platform, Lake& lake, World& world, HeldRows& rows);

}  // namespace emulator
