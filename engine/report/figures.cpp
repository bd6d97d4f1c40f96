#include "engine/report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace audiencesync {

std::string count_text(std::uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", count_text(count), singular)
                        : fmt::format("{} {}", count_text(count), plural);
}

std::string short_count_text(std::uint64_t count) {
  if (count < 100'000) return std::to_string(count);
  static constexpr std::array kUnits{"k", "M", "G", "T", "P", "E"};
  auto number = static_cast<double>(count) / 1000;
  std::size_t unit = 0;
  // 999.5 would be shown as 1000
  while (number >= 999.5 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  return number < 99.95 ? fmt::format("{:.1f}{}", number, kUnits[unit]) : fmt::format("{:.0f}{}", number, kUnits[unit]);
}

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t step = 0;
  // 999.95 would already be shown as 1000.0
  while (bytes >= 999.95 && step + 1 < kUnits.size()) {
    bytes /= 1000;
    ++step;
  }
  return step == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[step]);
}

std::string share_text(double share) {
  if (share <= 0) return "0 %";
  if (share < 0.001) return "less than 0.1 %";
  return fmt::format("{:.1f} %", 100 * share);
}

std::string age_text(Duration age) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

std::string second_text(Time time) { return to_iso8601(std::chrono::floor<std::chrono::seconds>(time)); }

std::string change_text(std::uint64_t before, std::uint64_t after) {
  if (before == 0) return after == 0 ? "0.0" : "new";
  const double percent =
      100.0 * (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(before);
  if (percent > 9999) return ">+9999";
  const double rounded = std::round(percent * 10) / 10;
  // What rounds to nothing is not nothing.
  if (rounded == 0) return after == before ? "0.0" : (after > before ? "+0.0" : "−0.0");
  return rounded > 0 ? fmt::format("+{:.1f}", rounded) : fmt::format("−{:.1f}", -rounded);
}

std::string sparkline(const std::vector<std::uint64_t>& numbers, std::size_t most) {
  static constexpr std::array kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto from = numbers.size() - std::min(most, numbers.size());
  if (from == numbers.size()) return {};
  const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(from);
  const auto [least, largest] = std::minmax_element(begin, numbers.end());
  // The line spans at least a tenth of the largest number: one person more or less must not look like a jump.
  const auto high = static_cast<double>(*largest);
  const auto low = static_cast<double>(*least);
  const double span = std::max(high - low, high / 10);
  const double floor = (high + low - span) / 2;
  std::string out;
  for (auto at = begin; at != numbers.end(); ++at) {
    const double height = span == 0 ? 0.5 : (static_cast<double>(*at) - floor) / span;
    // A hair up, so that the middle rounds the same way on every machine.
    out += kBlocks[static_cast<std::size_t>(std::lround(height * (kBlocks.size() - 1) + 1e-6))];
  }
  return out;
}

}  // namespace audiencesync
