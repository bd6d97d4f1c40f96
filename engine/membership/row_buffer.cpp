#include "engine/membership/row_buffer.h"

#include <algorithm>
#include <cstring>

namespace audiencesync {
namespace {

constexpr std::size_t kRowPrefix = 4;

std::uint16_t load_short(const char* from) {
  std::uint16_t number = 0;
  std::memcpy(&number, from, sizeof number);
  return number;
}

void store_short(char* to, std::size_t number) {
  const auto narrow = static_cast<std::uint16_t>(number);
  std::memcpy(to, &narrow, sizeof narrow);
}

}  // namespace

// Two thirds for the rows, one third for their order: an id of 20 bytes with three audiences needs about that.
RowBuffer::RowBuffer(std::size_t bytes, std::size_t dictionary)
    : capacity_(std::max(bytes / 3 * 2, 4 * (2048 + dictionary * sizeof(Rank)))),
      most_rows_(std::max<std::size_t>(bytes / 3 / sizeof(Row), 4)),
      bytes_(std::make_unique_for_overwrite<char[]>(capacity_)) {
  rows_.reserve(most_rows_);
}

RowBuffer::Added RowBuffer::add(std::uint64_t hash, std::string_view person, const Ranks& audiences) {
  const auto set_bytes = audiences.size() * sizeof(Rank);
  const auto needed = kRowPrefix + person.size() + set_bytes;
  if (needed > capacity_ - used_ || rows_.size() == most_rows_) return Added::Full;
  char* const at = bytes_.get() + used_;
  store_short(at, person.size());
  store_short(at + 2, audiences.size());
  std::memcpy(at + kRowPrefix, person.data(), person.size());
  if (set_bytes > 0) std::memcpy(at + kRowPrefix + person.size(), audiences.data(), set_bytes);
  rows_.push_back({hash, used_});
  used_ += needed;
  return Added::Yes;
}

std::string_view RowBuffer::person(const Row& row) const {
  const char* const at = bytes_.get() + row.offset;
  return {at + kRowPrefix, load_short(at)};
}

void RowBuffer::append_audiences(const Row& row, Ranks& out) const {
  const char* const at = bytes_.get() + row.offset;
  const std::size_t count = load_short(at + 2);
  const auto before = out.size();
  out.resize(before + count);
  if (count > 0) std::memcpy(out.data() + before, at + kRowPrefix + load_short(at), count * sizeof(Rank));
}

void RowBuffer::sort() {
  std::sort(rows_.begin(), rows_.end(), [this](const Row& left, const Row& right) {
    if (left.hash != right.hash) return left.hash < right.hash;
    return person(left) < person(right);
  });
  at_ = 0;
}

bool RowBuffer::next(DesiredRow& row) {
  if (at_ == rows_.size()) return false;
  const auto& first = rows_[at_++];
  row.hash = first.hash;
  row.person = person(first);
  row.audiences.clear();
  append_audiences(first, row.audiences);
  bool merged = false;
  while (at_ < rows_.size() && rows_[at_].hash == row.hash && person(rows_[at_]) == row.person) {
    append_audiences(rows_[at_++], row.audiences);
    merged = true;
  }
  if (merged) {
    std::sort(row.audiences.begin(), row.audiences.end());
    row.audiences.erase(std::unique(row.audiences.begin(), row.audiences.end()), row.audiences.end());
  }
  return true;
}

void RowBuffer::clear() {
  rows_.clear();
  used_ = 0;
  at_ = 0;
}

}  // namespace audiencesync
