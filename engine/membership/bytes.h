#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace audiencesync {

// How numbers are laid out in the files of this folder: little-endian where the width is fixed, LEB128 elsewhere.

template <class Number>
void put_fixed(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>((static_cast<std::uint64_t>(number) >> (8 * i)) & 0xFFU);
  }
}

template <class Number>
Number get_fixed(const char* from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return static_cast<Number>(number);
}

inline void put_varint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80U);
    number >>= 7U;
  }
  out += static_cast<char>(number);
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

template <class Word>
bool same_words(const char* left, const char* right, std::size_t size) {
  Word one{};
  Word other{};
  for (std::size_t at = 0; at + sizeof one < size; at += sizeof one) {
    std::memcpy(&one, left + at, sizeof one);
    std::memcpy(&other, right + at, sizeof other);
    if (one != other) return false;
  }
  std::memcpy(&one, left + size - sizeof one, sizeof one);
  std::memcpy(&other, right + size - sizeof other, sizeof other);
  return one == other;
}

/// left == right, for texts of four to a hundred bytes that are mostly equal: without a call.
inline bool same_text(std::string_view left, std::string_view right) {
  const auto size = left.size();
  if (size != right.size()) return false;
  if (size >= 8) return same_words<std::uint64_t>(left.data(), right.data(), size);
  if (size >= 4) return same_words<std::uint32_t>(left.data(), right.data(), size);
  for (std::size_t i = 0; i < size; ++i) {
    if (left[i] != right[i]) return false;
  }
  return true;
}

/// memcpy for texts that mostly have sixteen to 64 bytes: without a call.
inline void copy_text(char* to, std::string_view from) {
  const auto size = from.size();
  if (size < 16 || size > 64) {
    std::memcpy(to, from.data(), size);
    return;
  }
  for (std::size_t at = 0; at + 16 < size; at += 16) std::memcpy(to + at, from.data() + at, 16);
  std::memcpy(to + size - 16, from.data() + size - 16, 16);
}

/// Reads what the functions above wrote. Reading past the end, or a number too large, marks it bad for good: a caller
/// reads a whole row and asks once.
class ByteCursor {
 public:
  ByteCursor() = default;
  explicit ByteCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() const { return at_ == end_; }

  std::uint64_t varint() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) break;
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) break;
      number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return number;
    }
    bad_ = true;
    return 0;
  }

  std::string_view text() {
    const auto length = varint();
    if (bad_ || length > static_cast<std::uint64_t>(end_ - at_)) {
      bad_ = true;
      return {};
    }
    const std::string_view view(at_, length);
    at_ += length;
    return view;
  }

 private:
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool bad_ = false;
};

}  // namespace audiencesync
