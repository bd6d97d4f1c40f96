#include "engine/membership/person_rule.h"

#include <xxhash.h>

#include <cstring>

namespace audiencesync {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void lower_ascii(std::string& text) {
  for (auto& character : text) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
}

// What nearly every id is made of.
bool is_ascii(std::string_view text) {
  std::uint64_t all = 0;
  std::uint64_t word = 0;
  if (text.size() < sizeof word) {
    for (const char character : text) all |= static_cast<unsigned char>(character);
    return (all & 0x80U) == 0;
  }
  for (std::size_t at = 0; at + sizeof word < text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    all |= word;
  }
  std::memcpy(&word, text.data() + text.size() - sizeof word, sizeof word);
  return ((all | word) & 0x8080808080808080ULL) == 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) [[likely]]
    return true;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  const auto continues = [](unsigned char byte, unsigned least = 0x80, unsigned most = 0xBF) {
    return byte >= least && byte <= most;
  };
  while (at < end) {
    const unsigned lead = *at;
    const auto left = end - at;
    if (lead < 0x80) {
      at += 1;
    } else if (lead >= 0xC2 && lead <= 0xDF && left >= 2 && continues(at[1])) {
      at += 2;
    } else if (lead >= 0xE0 && lead <= 0xEF && left >= 3 &&
               continues(at[1], lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && continues(at[2])) {
      at += 3;
    } else if (lead >= 0xF0 && lead <= 0xF4 && left >= 4 &&
               continues(at[1], lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && continues(at[2]) &&
               continues(at[3])) {
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

std::uint64_t person_hash(std::string_view person) { return XXH3_64bits(person.data(), person.size()); }

PersonProblem apply_person_rule(PersonRule rule, std::string_view raw, std::string& space, std::string_view& out) {
  out = rule == PersonRule::Trim ? trim_blanks(raw) : raw;
  if (out.empty()) return PersonProblem::Missing;
  if (out.size() > kLongestPersonId) return PersonProblem::OverLong;
  if (!is_utf8(out)) return PersonProblem::NotUtf8;
  if (rule == PersonRule::Lower || rule == PersonRule::Sha256Lower) {
    space.assign(out);
    lower_ascii(space);
    if (rule == PersonRule::Sha256Lower) space = sha256(space);
    out = space;
  }
  return PersonProblem::None;
}

}  // namespace audiencesync
