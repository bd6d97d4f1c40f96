#include "emulator/control/duration.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

}  // namespace

std::chrono::milliseconds duration_of(const Json& value, const std::string& what) {
  if (value.is_number_integer()) return std::chrono::milliseconds(value.get<std::int64_t>());
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (problem == std::errc() && end != text.data())
      for (const auto& [name, factor] : kUnits)
        if (unit == name && number <= std::numeric_limits<std::int64_t>::max() / 2 / factor &&
            number >= std::numeric_limits<std::int64_t>::min() / 2 / factor)
          return std::chrono::milliseconds(number * factor);
  }
  throw HttpError{
      control_error(400, what + ": " + value.dump() + " is not a duration; write a number and ms, s, m, h or d")};
}

std::string duration_text(std::chrono::milliseconds duration) {
  for (const auto& [name, factor] : kUnits)
    if (duration.count() % factor == 0 && (duration.count() != 0 || factor == 1))
      return std::to_string(duration.count() / factor) + std::string(name);
  return {};
}

}  // namespace emulator
