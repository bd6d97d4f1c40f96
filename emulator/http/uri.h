#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emulator {

enum class PlusSign { Literal, Space };

/// Percent-decoded text. A `%` without two hex digits stays as it is written.
std::string percent_decode(std::string_view text, PlusSign plus = PlusSign::Literal);
/// Everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);
/// `a=1&b=2`, decoded, in order; what follows the `?` of a target, or a form body.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);
/// The segments of a path, still encoded; a slash at the end adds none.
std::vector<std::string> path_segments(std::string_view path);

}  // namespace emulator
