#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace audiencesync {

/// Packs the ids of people in temporary files, at the speed of copying them: what follows the last `@` becomes a
/// number, hexadecimal and decimal digits take half a byte, and a UUID sixteen. Anything else stays as it is, for a
/// general compressor.
///
/// One thread puts; then several may get. Memory: at most 16 KB.
class PersonCodec {
 public:
  /// Readable bytes that must lie behind everything `get` reads, and writable ones behind where it writes.
  static constexpr std::size_t kPadding = 64;
  /// What `put` takes beyond the length of the person at most.
  static constexpr std::size_t kMostOverhead = 8;

  PersonCodec();

  /// Writes the person, of at most 1,024 bytes, at `out`; the end of what was written, which lies at most
  /// kMostOverhead behind the person's size. kPadding bytes behind that may be written too.
  char* put(char* out, std::string_view person);

  /// Reads what `put` wrote and moves `from` behind it. The person's size, or kBad when the bytes cannot be what was
  /// written; never reads behind `end` + kPadding, nor writes behind `into` + `room` + kPadding.
  static constexpr std::size_t kBad = SIZE_MAX;
  std::size_t get(const char*& from, const char* end, char* into, std::size_t room) const;

 private:
  static constexpr std::size_t kLongestEnding = 62;
  static constexpr std::size_t kMostEndings = 250;
  static constexpr std::size_t kSlots = 1024;

  struct Ending {
    std::array<char, kPadding> text;
    std::size_t size;
  };
  /// The number of an ending, which is learned when it is new and there is space; kMostEndings when there is none.
  std::size_t number_of(std::string_view ending);

  std::vector<Ending> endings_;
  std::array<std::uint8_t, kSlots> slots_{};  // number + 1 of the ending that was put there
};

}  // namespace audiencesync
