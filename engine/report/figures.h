#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"

namespace audiencesync {

/// `1,234,567`.
std::string count_text(std::uint64_t count);
/// `8 people`, `1 change`: the plural takes an s unless `plural` says otherwise.
std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural = {});
/// At most five characters: `99999`, `123k`, `1.2M`, `12.3G`.
std::string short_count_text(std::uint64_t count);
/// `999 B`, `1.2 GB` (powers of 1000).
std::string bytes_text(double bytes);
/// `12.5 %`, `less than 0.1 %`, `0 %`.
std::string share_text(double share);
/// `90 s`, `12 min`, `3 h`, `5 d`: how long ago, in the largest unit that keeps it readable.
std::string age_text(Duration age);
/// `2026-01-02T03:04:05Z`: without the milliseconds.
std::string second_text(Time time);
/// How `after` differs from `before` in percent: `+12.3`, `−0.5`, `0.0`, and `new` where nothing was before.
std::string change_text(std::uint64_t before, std::uint64_t after);
/// One block character for each number, from the smallest to the largest of them; all the same height when they are
/// equal. At most the last `most`.
std::string sparkline(const std::vector<std::uint64_t>& numbers, std::size_t most);

}  // namespace audiencesync
