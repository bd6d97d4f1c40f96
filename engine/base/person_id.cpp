#include "engine/base/person_id.h"

#include <algorithm>

namespace audiencesync {
namespace {

constexpr std::size_t kLongestEnding = 8;  // ".travel"; anything longer may be part of what identifies the person

// The first `count` characters, whole: half a UTF-8 sequence would make the sample unprintable. Nothing of a text that
// has no more than twice as many, or the mask would hide too little.
std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t seen = 0;
  std::size_t shown = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) continue;
    if (seen++ == count) shown = at;
  }
  return seen > 2 * count ? text.substr(0, shown) : std::string_view{};
}

}  // namespace

std::string PersonId::masked() const {
  const std::string_view text = text_;
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(first_characters(text, 2)) + "***";
  const auto domain = text.substr(at + 1);
  const auto dot = std::min(domain.rfind('.'), domain.size());
  const auto ending = domain.substr(dot);
  std::string out(first_characters(text.substr(0, at), 1));
  out += "***@";
  out += first_characters(domain.substr(0, dot), 1);
  out += "***";
  if (ending.size() <= kLongestEnding) out += ending;
  return out;
}

}  // namespace audiencesync
