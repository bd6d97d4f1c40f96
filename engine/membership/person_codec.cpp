#include "engine/membership/person_codec.h"

#include <cstring>

#include "engine/membership/bytes.h"

namespace audiencesync {
namespace {

// How a person is packed: the two lowest bits of the first number, whose other bits are a length.
enum Kind : std::uint64_t { Plain, Ended, Digits, Uuid };

constexpr std::size_t kUuid = 36;
constexpr std::uint64_t kEach = 0x0101010101010101ULL;

std::uint64_t load8(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Texts are mostly short, and there is always padding: whole words are faster than a call.
void copy_padded(char* to, const char* from, std::size_t size) {
  std::memcpy(to, from, 16);
  std::memcpy(to + 16, from + 16, 16);
  if (size > 32) std::memcpy(to + 32, from + 32, size - 32);
}

// Eight lower-case hexadecimal digits, their values below 16 in a byte each.
std::uint64_t text_of_digits(std::uint64_t values) {
  const auto letters = ((values + 6 * kEach) >> 4U) & kEach;
  return values + 0x30 * kEach + letters * 39;
}

// Four bytes for eight digits; false when they are something else.
bool pack_digits(std::uint64_t text, std::uint32_t& packed) {
  auto values = (text & (0x0F * kEach)) + ((text >> 6U) & kEach) * 9;
  // Characters that are no digits may become larger values: they do not lead back either.
  if ((values & (0xF0 * kEach)) != 0 || text_of_digits(values) != text) return false;
  values = (values | values >> 4U) & 0x00FF00FF00FF00FFULL;
  values = (values | values >> 8U) & 0x0000FFFF0000FFFFULL;
  packed = static_cast<std::uint32_t>(values | values >> 16U);
  return true;
}

std::uint64_t unpack_digits(std::uint32_t packed) {
  std::uint64_t values = packed;
  values = (values | values << 16U) & 0x0000FFFF0000FFFFULL;
  values = (values | values << 8U) & 0x00FF00FF00FF00FFULL;
  values = (values | values << 4U) & (0x0F * kEach);
  return text_of_digits(values);
}

bool may_be_digit(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
}

char* put_head(char* out, std::uint64_t length, Kind kind) {
  auto head = length << 2U | kind;
  while (head >= 0x80) {
    *out++ = static_cast<char>(head | 0x80U);
    head >>= 7U;
  }
  *out++ = static_cast<char>(head);
  return out;
}

// All of it digits, the last few filled up with zeros; null when not.
char* put_digits(char* out, std::string_view person) {
  out = put_head(out, person.size(), Digits);
  for (std::size_t at = 0; at < person.size(); at += 8) {
    auto text = 0x30 * kEach;
    std::memcpy(&text, person.data() + at, std::min<std::size_t>(8, person.size() - at));
    std::uint32_t packed = 0;
    if (!pack_digits(text, packed)) return nullptr;
    std::memcpy(out, &packed, sizeof packed);
    out += sizeof packed;
  }
  return out;
}

// The places of the four words of a UUID between its dashes.
void uuid_words(const char* text, std::uint64_t (&words)[4]) {
  char digits[32];
  std::memcpy(digits, text, 8);
  std::memcpy(digits + 8, text + 9, 4);
  std::memcpy(digits + 12, text + 14, 4);
  std::memcpy(digits + 16, text + 19, 4);
  std::memcpy(digits + 20, text + 24, 12);
  std::memcpy(words, digits, sizeof digits);
}

char* put_uuid(char* out, const char* text) {
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return nullptr;
  std::uint64_t words[4];
  uuid_words(text, words);
  out = put_head(out, 0, Uuid);
  for (const auto word : words) {
    std::uint32_t packed = 0;
    if (!pack_digits(word, packed)) return nullptr;
    std::memcpy(out, &packed, sizeof packed);
    out += sizeof packed;
  }
  return out;
}

}  // namespace

PersonCodec::PersonCodec() { endings_.reserve(kMostEndings); }

std::size_t PersonCodec::number_of(std::string_view ending) {
  std::uint64_t mixed = ending.size();
  if (ending.size() >= 8) {
    mixed ^= load8(ending.data()) ^ (load8(ending.data() + ending.size() - 8) * 31);
  } else {
    for (const char character : ending) mixed = mixed << 8U | static_cast<unsigned char>(character);
  }
  auto slot = (mixed * 0x9E3779B97F4A7C15ULL) >> 54U;
  static_assert(kSlots == 1U << 10U && kMostEndings < 256 && kMostEndings < kSlots / 2);
  for (; slots_[slot] != 0; slot = (slot + 1) % kSlots) {
    const auto& there = endings_[slots_[slot] - 1U];
    if (same_text({there.text.data(), there.size}, ending)) return slots_[slot] - 1U;
  }
  if (endings_.size() == kMostEndings) return kMostEndings;
  auto& learned = endings_.emplace_back();
  learned.text.fill('\0');
  std::memcpy(learned.text.data(), ending.data(), ending.size());
  learned.size = ending.size();
  slots_[slot] = static_cast<std::uint8_t>(endings_.size());
  return endings_.size() - 1;
}

char* PersonCodec::put(char* out, std::string_view person) {
  if (!person.empty() && may_be_digit(person.front()) && may_be_digit(person.back())) {
    char* end = person.size() == kUuid ? put_uuid(out, person.data()) : nullptr;
    if (end == nullptr && person.size() >= 8) end = put_digits(out, person);
    if (end != nullptr) return end;
  }
  const auto* const at = static_cast<const char*>(::memrchr(person.data(), '@', person.size()));
  const auto place = at == nullptr ? person.size() : static_cast<std::size_t>(at - person.data());
  if (at != nullptr && person.size() - place <= kLongestEnding) {
    const auto number = number_of(person.substr(place));
    if (number < kMostEndings) {
      out = put_head(out, place, Ended);
      *out++ = static_cast<char>(number);
      std::memcpy(out, person.data(), place);
      return out + place;
    }
  }
  out = put_head(out, person.size(), Plain);
  std::memcpy(out, person.data(), person.size());
  return out + person.size();
}

std::size_t PersonCodec::get(const char*& from, const char* end, char* into, std::size_t room) const {
  std::uint64_t head = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (from >= end || shift > 14) return kBad;
    const auto byte = static_cast<unsigned char>(*from++);
    head |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) break;
  }
  const auto length = static_cast<std::size_t>(head >> 2U);
  const auto left = static_cast<std::size_t>(end - from);
  switch (static_cast<Kind>(head & 3U)) {
    case Plain:
      if (length > left || length > room) return kBad;
      copy_padded(into, from, length);
      from += length;
      return length;
    case Ended: {
      if (length >= left || static_cast<unsigned char>(*from) >= endings_.size()) return kBad;
      const auto& ending = endings_[static_cast<unsigned char>(*from++)];
      if (length + ending.size > room) return kBad;
      copy_padded(into, from, length);
      copy_padded(into + length, ending.text.data(), ending.size);
      from += length;
      return length + ending.size;
    }
    case Digits: {
      const auto words = (length + 7) / 8;
      if (words * 4 > left || length > room) return kBad;
      for (std::size_t i = 0; i < words; ++i, from += 4) {
        std::uint32_t packed = 0;
        std::memcpy(&packed, from, sizeof packed);
        const auto text = unpack_digits(packed);
        std::memcpy(into + i * 8, &text, sizeof text);
      }
      return length;
    }
    case Uuid: {
      if (left < 16 || room < kUuid) return kBad;
      char digits[32];
      for (std::size_t i = 0; i < 4; ++i, from += 4) {
        std::uint32_t packed = 0;
        std::memcpy(&packed, from, sizeof packed);
        const auto text = unpack_digits(packed);
        std::memcpy(digits + i * 8, &text, sizeof text);
      }
      std::memcpy(into, digits, 8);
      std::memcpy(into + 9, digits + 8, 4);
      std::memcpy(into + 14, digits + 12, 4);
      std::memcpy(into + 19, digits + 16, 4);
      std::memcpy(into + 24, digits + 20, 12);
      into[8] = into[13] = into[18] = into[23] = '-';
      return kUuid;
    }
  }
  return kBad;
}

}  // namespace audiencesync
