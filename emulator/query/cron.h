#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emulator {

/// The five fields of a cron line: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday), in UTC.
///
/// Each is `*`, numbers, ranges and steps, by commas; months and days of the week have their English names too. When
/// both days are given, either is enough, as cron has it.
class Cron {
 public:
  /// nullopt when the line is none; `why` then says what is wrong with it.
  static std::optional<Cron> parse(std::string_view line, std::string& why);

  /// The first minute after `epoch_ms` (epoch milliseconds) that the line names; nullopt when there is none within
  /// nine years, as of a 30th of February.
  std::optional<std::int64_t> next_after(std::int64_t epoch_ms) const;

 private:
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;  // from 1
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool any_day_ = true;  // `*`
  bool any_weekday_ = true;
};

}  // namespace emulator
