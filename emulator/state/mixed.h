#pragma once

#include <cstdint>

namespace emulator {

/// Mixes the bits of a number well (the finalizer of splitmix64): neighbours have nothing in common any more.
inline std::uint64_t mixed(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15ULL;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31U);
}

}  // namespace emulator
