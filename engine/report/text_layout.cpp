#include "engine/report/text_layout.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace audiencesync {
namespace {

struct Character {
  std::size_t bytes = 1;
  std::uint32_t code = 0;
};

// The character at the beginning; a stray byte counts as one.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t bytes = 1;
  while (bytes < 4 && bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) ++bytes;
  if (lead < 0x80U) return {1, lead};
  std::uint32_t code = bytes == 1 ? lead : lead & (0x7FU >> bytes);
  for (std::size_t at = 1; at < bytes; ++at) code = (code << 6U) | (static_cast<unsigned char>(text[at]) & 0x3FU);
  return {bytes, code};
}

struct CodeRange {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t N>
bool within_ranges(std::uint32_t code, const std::array<CodeRange, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const CodeRange& range) { return code >= range.first && code <= range.last; });
}

// Unicode: combining marks, joiners, variation selectors.
constexpr std::array<CodeRange, 6> kNoColumns{
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};
// Unicode: East Asian wide and full width, emoji.
constexpr std::array<CodeRange, 9> kTwoColumns{{{0x1100, 0x115F},
                                                {0x2E80, 0x303E},
                                                {0x3041, 0xA4CF},
                                                {0xAC00, 0xD7A3},
                                                {0xF900, 0xFAFF},
                                                {0xFE30, 0xFE4F},
                                                {0xFF00, 0xFF60},
                                                {0x1F300, 0x1FAFF},
                                                {0x20000, 0x3FFFD}}};
// Controls, line and paragraph separators, and what turns the direction of reading.
constexpr std::array<CodeRange, 6> kUnprintable{
    {{0x00, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}}};

std::size_t width_of(const Character& character) {
  if (within_ranges(character.code, kNoColumns)) return 0;
  return within_ranges(character.code, kTwoColumns) ? 2 : 1;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    columns += width_of(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    if (within_ranges(character.code, kUnprintable)) {
      out += ' ';
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string cut(std::string_view text, std::size_t width) {
  std::string clean = printable(text);
  if (columns_of(clean) <= width) return clean;
  std::string_view rest = clean;
  std::string out;
  std::size_t columns = 0;
  while (!rest.empty()) {
    const auto character = first_character(rest);
    columns += width_of(character);
    if (columns + 1 > width) break;
    out += rest.substr(0, character.bytes);
    rest.remove_prefix(character.bytes);
  }
  return out + "~";
}

std::string fit_left(std::string_view text, std::size_t width) {
  std::string out = cut(text, width);
  out.append(width - std::min(width, columns_of(out)), ' ');
  return out;
}

std::string fit_right(std::string_view text, std::size_t width) {
  const std::string clean = printable(text);
  return std::string(width - std::min(width, columns_of(clean)), ' ') + clean;
}

std::string paragraph(std::string_view lead, std::string_view text) {
  const std::string clean = printable(text);
  std::string_view rest = clean;
  const std::size_t indent = columns_of(lead);
  std::string out;
  std::string line(lead);
  if (rest.empty()) line.erase(line.find_last_not_of(' ') + 1);
  std::size_t columns = indent;
  bool empty = true;
  const auto next_line = [&] {
    out += line + "\n";
    line.assign(indent, ' ');
    columns = indent;
    empty = true;
  };
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    auto word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!empty && columns + 1 + columns_of(word) > kTextWidth) next_line();
    if (!empty) {
      line += ' ';
      ++columns;
    }
    while (!word.empty()) {
      const auto character = first_character(word);
      if (columns + width_of(character) > kTextWidth) next_line();
      line += word.substr(0, character.bytes);
      word.remove_prefix(character.bytes);
      columns += width_of(character);
    }
    empty = false;
  }
  return out + line + "\n";
}

std::string text_and_command(std::string_view text, std::string_view command) {
  const std::string clean = printable(command);
  const bool fits = columns_of(text) + 1 + columns_of(clean) <= kTextWidth;
  return std::string(text) + (fits ? " " : "\n  ") + clean + "\n";
}

}  // namespace audiencesync
