#pragma once

#include <cstdint>
#include <string>

#include "emulator/data/lake.h"
#include "emulator/data/world.h"

namespace emulator {

/// The dataset of web events in the catalog, with its schema; made when it is not there. Needs the objects locked.
std::string seed_event_dataset(Platform& platform);

/// Invents that many events as one batch of the dataset: 65 of 100 people have some, a few of them many, spread over
/// the 45 days before now. Nothing happens when the dataset has a batch or `count` is 0. Depends on the seed and the
/// people. Cost: about 1 s for two million events.
void invent_events(Platform& platform, Lake& lake, World& world, const std::string& dataset, std::uint64_t count);

}  // namespace emulator
