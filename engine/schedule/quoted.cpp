#include "engine/schedule/quoted.h"

namespace audiencesync {

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownBytes = 60;
  std::string out = "'";
  for (const char letter : text.substr(0, kShownBytes)) out += letter >= ' ' && letter <= '~' ? letter : '?';
  return out + (text.size() > kShownBytes ? "...'" : "'");
}

}  // namespace audiencesync
