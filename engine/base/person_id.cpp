#include "engine/base/person_id.h"

namespace audiencesync {
namespace {

// The first character, whole: half a UTF-8 sequence would make the sample unprintable.
std::string_view first_character(std::string_view text) {
  std::size_t length = text.empty() ? 0 : 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) ++length;
  return text.substr(0, length);
}

}  // namespace

std::string PersonId::masked() const {
  const std::string_view text = text_;
  std::string out(first_character(text));
  out += "***";
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return out;
  const auto domain = text.substr(at + 1);
  const auto dot = domain.rfind('.');
  out += '@';
  out += first_character(domain);
  out += "***";
  if (dot != std::string_view::npos) out += domain.substr(dot);
  return out;
}

}  // namespace audiencesync
