#pragma once

#include <chrono>
#include <cstdint>

#include "emulator/http/message.h"
#include "emulator/state/settings.h"

namespace emulator {

/// How the platform spends time: None answers at once and ends every job at once.
enum class Latency { None, Real };

/// The settings of a platform that takes its time; docs/emulator.md has the numbers.
Settings with_real_latency(Settings settings);

/// How long the answer to one call takes, before its body. Equal for equal numbers: `number` counts the calls.
std::chrono::milliseconds answer_latency(const Request& request, std::uint64_t number);

}  // namespace emulator
