#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace audiencesync {

/// `1.2 GB` for the unit "bytes" (powers of 1000), `1,234,567 rows` for any other.
std::string quantity_text(double quantity, std::string_view unit);

/// `45s`, `3m 20s`, `2h 05m`.
std::string duration_text(std::chrono::seconds duration);

/// One line about work that took `taken` so far: `read export 40 % 1.2 GB of 3.0 GB, 310.0 MB/s, 5s left`.
/// Work in "ms" is waiting: `export job E1, 3m 20s`. A `total` of 0 is not known; rate and rest are left out while they
/// mean nothing.
std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit,
                          std::chrono::milliseconds taken);

}  // namespace audiencesync
