#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/manifest/manifest.h"

namespace audiencesync {

// How the words of a configuration file become values. All are independent of the locale and accept no blanks.

/// 50ms, 60s, 90m, 36h, 7d; a whole number and a unit, at most 3650 days.
std::optional<Duration> parse_duration(std::string_view text);
/// The largest unit that divides it, as the parser reads it: 36h, 7d.
std::string duration_text(Duration duration);

/// 10GB, 256MB, 64KiB, 512B: k, M, G, T are decimal, Ki, Mi, Gi, Ti are binary.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// Digits only.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// true or false.
std::optional<bool> parse_flag(std::string_view text);

/// One part of a limit: `10%`, `0.1%` or `500`.
std::optional<Limit> parse_limit(std::string_view text);

}  // namespace audiencesync
