#pragma once

#include <string_view>

namespace emulator {

/// True when the whole text fits the pattern, where `*` stands for any run of characters, `/` included.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace emulator
