#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace audiencesync {

/// A name of the list that `word` probably was meant to be; nullopt when none is near.
std::optional<std::string_view> nearest_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace audiencesync
