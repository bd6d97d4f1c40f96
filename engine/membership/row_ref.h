#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "engine/membership/row_stream.h"

namespace audiencesync {

/// Where a row lies in memory, with what it is mostly compared by. A value; the bytes are somebody else's.
///
/// The bytes: hash, length of the person, number of ranks, the person, the ranks. Nothing is aligned.
struct RowRef {
  static constexpr std::size_t kPrefix = 8 + 2 + 2;
  static constexpr std::size_t kLongestPerson = 1024;

  std::uint64_t hash = 0;
  const char* at = nullptr;

  /// Bytes of a row. `person` at most kLongestPerson.
  static std::size_t bytes_of(std::size_t person, std::size_t audiences) {
    return kPrefix + person + audiences * sizeof(Rank);
  }
  /// Writes all but the person and the ranks.
  static void put_prefix(char* at, std::uint64_t hash, std::size_t person, std::size_t audiences) {
    const auto length = static_cast<std::uint16_t>(person);
    const auto count = static_cast<std::uint16_t>(audiences);
    std::memcpy(at, &hash, sizeof hash);
    std::memcpy(at + 8, &length, sizeof length);
    std::memcpy(at + 10, &count, sizeof count);
  }
  static RowRef of(const char* at) {
    RowRef ref{0, at};
    std::memcpy(&ref.hash, at, sizeof ref.hash);
    return ref;
  }

  std::size_t person_size() const { return number(8); }
  std::size_t audiences() const { return number(10); }
  std::size_t bytes() const { return bytes_of(person_size(), audiences()); }
  std::string_view person() const { return {at + kPrefix, person_size()}; }
  void append_audiences(Ranks& out) const {
    const char* from = at + kPrefix + person_size();
    // Mostly one to three: no call is worth its while.
    for (auto left = audiences(); left > 0; --left, from += sizeof(Rank)) {
      Rank rank = 0;
      std::memcpy(&rank, from, sizeof rank);
      out.push_back(rank);
    }
  }

 private:
  std::uint16_t number(std::size_t offset) const {
    std::uint16_t value = 0;
    std::memcpy(&value, at + offset, sizeof value);
    return value;
  }
};

/// Sorts rows by (hash, person). What it allocates is kept for the next time. One thread at a time.
class RowRefSorter {
 public:
  void sort(std::vector<RowRef>& rows);

 private:
  std::vector<std::uint32_t> ends_;
  std::vector<RowRef> dealt_;
};

/// The next person of sorted rows, from `next` on, with the union of their rows; `next` moves behind them. There must
/// be a row.
void take_person(std::span<const RowRef> rows, std::size_t& next, DesiredRow& out);

}  // namespace audiencesync
