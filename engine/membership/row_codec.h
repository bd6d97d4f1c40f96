#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/bytes.h"

namespace audiencesync {

/// A set of small numbers as it is stored: how many, the smallest, then the gaps. `sorted` has no duplicates.
template <class Number>
void put_set(std::string& out, const std::vector<Number>& sorted) {
  put_varint(out, sorted.size());
  std::uint64_t least = 0;
  for (const auto number : sorted) {
    put_varint(out, number - least);
    least = std::uint64_t{number} + 1;
  }
}

/// Reads a set and maps each number through `table`. False when it is damaged or names a number the table lacks
/// (an entry of `absent`). The result is sorted.
template <class Number>
bool get_set(ByteCursor& from, const std::vector<std::uint32_t>& table, std::vector<Number>& out) {
  out.clear();
  const auto count = from.varint();
  if (from.bad() || count > table.size()) return false;
  std::uint64_t least = 0;
  bool sorted = true;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto gap = from.varint();
    // The gap by itself too: a damaged one may lead round the end of the numbers, back to one that was there.
    if (from.bad() || gap >= table.size() || least + gap >= table.size()) return false;
    const auto number = least + gap;
    if (table[number] == ~std::uint32_t{0}) return false;
    const auto mapped = static_cast<Number>(table[number]);
    if (!out.empty() && mapped <= out.back()) sorted = false;
    out.push_back(mapped);
    least = number + 1;
  }
  if (!sorted) std::sort(out.begin(), out.end());
  return true;
}

}  // namespace audiencesync
