#include "engine/manifest/utf8.h"

#include "engine/manifest/secret_scan.h"

namespace audiencesync {

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(at);
  if (at >= text.size()) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned second = byte(at + 1);
    // Overlong forms and surrogates are not characters.
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return continues(at + 1) && continues(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned second = byte(at + 1);
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
    return continues(at + 1) && continues(at + 2) && continues(at + 3) ? 4 : 0;
  }
  return 0;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const auto length = utf8_length(text, at);
    at += length == 0 ? 1 : length;
  }
  return count;
}

namespace {

bool control_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7F) return true;
  return byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

}  // namespace

bool has_control_character(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (control_at(text, at)) return true;
  }
  return false;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShownCharacters = 60;
  if (looks_like_secret(text)) return "(not shown: it looks like a credential)";
  std::string out = "'";
  std::size_t at = 0;
  for (std::size_t shown = 0; at < text.size() && shown < kShownCharacters; ++shown) {
    const auto length = utf8_length(text, at);
    if (length == 0 || control_at(text, at)) {
      out += '?';
    } else {
      out.append(text.substr(at, length));
    }
    at += length == 0 ? 1 : length;
  }
  out += at < text.size() ? "...'" : "'";
  return out;
}

}  // namespace audiencesync
