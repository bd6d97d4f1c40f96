#include "engine/report/spdlog/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace audiencesync {
namespace {

constexpr std::chrono::milliseconds kTooEarly{1'000};  // a rate over less than this jumps about

std::string with_commas(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

}  // namespace

std::string quantity_text(double quantity, std::string_view unit) {
  if (unit != "bytes") {
    return fmt::format("{} {}", with_commas(static_cast<std::uint64_t>(std::llround(quantity))), unit);
  }
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t step = 0;
  // 999.95 would already be shown as 1000.0
  while (quantity >= 999.95 && step + 1 < kUnits.size()) {
    quantity /= 1000;
    ++step;
  }
  return step == 0 ? fmt::format("{:.0f} B", quantity) : fmt::format("{:.1f} {}", quantity, kUnits[step]);
}

std::string duration_text(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit,
                          std::chrono::milliseconds taken) {
  std::string out(what);
  const auto amount = static_cast<double>(done);
  if (total > 0) {
    const auto share = std::min(100.0, std::floor(100 * amount / static_cast<double>(total)));
    out += fmt::format(" {:.0f} % {} of {}", share, quantity_text(amount, unit),
                       quantity_text(static_cast<double>(total), unit));
  } else {
    out += " " + quantity_text(amount, unit);
  }
  if (taken < kTooEarly || done == 0) return out;
  const auto rate = amount / std::chrono::duration<double>(taken).count();
  out += fmt::format(", {}/s", quantity_text(rate, unit));
  if (total > done) {
    const auto left = static_cast<double>(total - done) / rate;
    out += fmt::format(", {} left", duration_text(std::chrono::seconds(std::llround(left))));
  }
  return out;
}

}  // namespace audiencesync
