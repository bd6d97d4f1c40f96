#include "engine/manifest/scalar_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace audiencesync {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kDurationUnits{DurationUnit{"d", 86'400'000}, DurationUnit{"h", 3'600'000},
                                    DurationUnit{"m", 60'000}, DurationUnit{"s", 1'000}, DurationUnit{"ms", 1}};
constexpr std::int64_t kLongestDuration = 3650LL * 86'400'000;

struct ByteUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array kByteUnits{
    ByteUnit{"B", 1},
    ByteUnit{"kB", 1'000},
    ByteUnit{"KB", 1'000},
    ByteUnit{"MB", 1'000'000},
    ByteUnit{"GB", 1'000'000'000},
    ByteUnit{"TB", 1'000'000'000'000},
    ByteUnit{"KiB", 1ULL << 10},
    ByteUnit{"MiB", 1ULL << 20},
    ByteUnit{"GiB", 1ULL << 30},
    ByteUnit{"TiB", 1ULL << 40},
};

/// The leading digits as a number, the rest as a unit.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || text.empty()) return std::nullopt;
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto parts = split_number(text);
  if (!parts) return std::nullopt;
  for (const auto& unit : kDurationUnits) {
    if (parts->second != unit.name) continue;
    if (parts->first > static_cast<std::uint64_t>(kLongestDuration / unit.milliseconds)) return std::nullopt;
    return Duration(static_cast<std::int64_t>(parts->first) * unit.milliseconds);
  }
  return std::nullopt;
}

std::string duration_text(Duration duration) {
  for (const auto& unit : kDurationUnits) {
    if (duration.count() != 0 && duration.count() % unit.milliseconds == 0) {
      return fmt::format("{}{}", duration.count() / unit.milliseconds, unit.name);
    }
  }
  return "0s";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const auto parts = split_number(text);
  if (!parts) return std::nullopt;
  for (const auto& unit : kByteUnits) {
    if (parts->second != unit.name) continue;
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (parts->first > kMost / unit.bytes) return std::nullopt;
    return parts->first * unit.bytes;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const auto parts = split_number(text);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!parts || !parts->second.empty() || parts->first > kMost) return std::nullopt;
  return parts->first;
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<Limit> parse_limit(std::string_view text) {
  if (!text.ends_with('%')) {
    const auto count = parse_count(text);
    if (!count) return std::nullopt;
    return Limit{.share = {}, .count = count};
  }
  text.remove_suffix(1);
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  double percent = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (!plain || failure != std::errc{} || end != text.data() + text.size() || percent > 1e6) return std::nullopt;
  return Limit{.share = percent / 100, .count = {}};
}

std::string Limit::text() const {
  std::string out;
  if (share) {
    // Ten digits hide what dividing and multiplying by 100 leaves behind.
    out = fmt::format("{:.10g}%", *share * 100);
  }
  if (count) out += fmt::format("{}{}", share ? ", " : "", *count);
  return out;
}

}  // namespace audiencesync
