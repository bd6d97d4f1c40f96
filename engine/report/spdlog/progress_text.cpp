#include "engine/report/spdlog/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/report/figures.h"

namespace audiencesync {
namespace {

constexpr std::chrono::milliseconds kTooEarly{1'000};  // a rate over less than this jumps about

}  // namespace

std::string quantity_text(double quantity, std::string_view unit) {
  if (unit == "bytes") return bytes_text(quantity);
  return fmt::format("{} {}", count_text(static_cast<std::uint64_t>(std::llround(quantity))), unit);
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
  // Waiting has no rate.
  if (unit == "ms") {
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(done));
    return out + ", " + duration_text(waited);
  }
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
