#include "engine/membership/row_ref.h"

#include <algorithm>
#include <bit>

namespace audiencesync {
namespace {

constexpr std::size_t kFewRows = 64;

bool comes_before(const RowRef& left, const RowRef& right) {
  if (left.hash != right.hash) return left.hash < right.hash;
  return left.person() < right.person();
}

}  // namespace

// Hashes are even, so rows are dealt into as many heaps as there are rows, by the bits in which they differ; what is
// left to sort is next to nothing. Where hashes are not even the heaps are sorted as usual.
void RowRefSorter::sort(std::vector<RowRef>& rows) {
  if (rows.size() < kFewRows) return std::sort(rows.begin(), rows.end(), comes_before);
  auto least = rows.front().hash;
  auto most = least;
  for (const auto& row : rows) {
    least = std::min(least, row.hash);
    most = std::max(most, row.hash);
  }
  const auto heap_bits = std::bit_width(rows.size());
  const auto range_bits = std::bit_width(most - least);
  const auto shift = range_bits > heap_bits ? range_bits - heap_bits : 0;
  ends_.assign((std::size_t{1} << heap_bits) + 1, 0);
  const auto heap_of = [&](const RowRef& row) { return (row.hash - least) >> shift; };
  for (const auto& row : rows) ++ends_[heap_of(row) + 1];
  for (std::size_t heap = 1; heap < ends_.size(); ++heap) ends_[heap] += ends_[heap - 1];
  dealt_.resize(rows.size());
  for (const auto& row : rows) dealt_[ends_[heap_of(row)]++] = row;
  // Each entry is now the end of its heap.
  std::uint32_t begin = 0;
  for (const auto end : ends_) {
    if (end - begin == 2) {
      if (comes_before(dealt_[begin + 1], dealt_[begin])) std::swap(dealt_[begin], dealt_[begin + 1]);
    } else if (end - begin > 2) {
      std::sort(dealt_.begin() + begin, dealt_.begin() + end, comes_before);
    }
    begin = std::max(begin, end);
  }
  rows.swap(dealt_);
}

void take_person(std::span<const RowRef> rows, std::size_t& next, DesiredRow& out) {
  const auto& first = rows[next++];
  out.hash = first.hash;
  out.person = first.person();
  out.audiences.clear();
  first.append_audiences(out.audiences);
  bool merged = false;
  while (next != rows.size() && rows[next].hash == out.hash && same_text(rows[next].person(), out.person)) {
    rows[next++].append_audiences(out.audiences);
    merged = true;
  }
  if (!merged) return;
  std::sort(out.audiences.begin(), out.audiences.end());
  out.audiences.erase(std::unique(out.audiences.begin(), out.audiences.end()), out.audiences.end());
}

}  // namespace audiencesync
