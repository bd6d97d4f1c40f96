#include "engine/membership/row_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace audiencesync {
namespace {

constexpr std::size_t kRowPrefix = 4;
constexpr std::ptrdiff_t kPrefetch = 12;  // rows ahead
constexpr std::size_t kSmallSort = 4096;  // rows that a plain sort handles as well

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

RowBuffer::Added RowBuffer::add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
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

// One pass by the first byte of the hash, in place, then small ranges that fit into the cache.
void RowBuffer::sort() {
  if (rows_.size() < kSmallSort) return sort_rows(rows_.data(), rows_.data() + rows_.size());
  std::array<std::size_t, kSections> next{};
  std::array<std::size_t, kSections> end{};
  for (const auto& row : rows_) ++end[section_of(row.hash)];
  std::size_t sum = 0;
  for (std::size_t section = 0; section < kSections; ++section) {
    next[section] = sum;
    sum += end[section];
    end[section] = sum;
  }
  for (std::size_t section = 0; section < kSections; ++section) {
    while (next[section] < end[section]) {
      auto row = rows_[next[section]];
      auto home = section_of(row.hash);
      while (home != section) {
        std::swap(row, rows_[next[home]++]);
        home = section_of(row.hash);
      }
      rows_[next[section]++] = row;
    }
  }
  std::size_t begin = 0;
  for (std::size_t section = 0; section < kSections; ++section) {
    sort_rows(rows_.data() + begin, rows_.data() + end[section]);
    begin = end[section];
  }
}

void RowBuffer::sort_rows(Row* first, Row* last) {
  std::sort(first, last, [this](const Row& left, const Row& right) {
    if (left.hash != right.hash) return left.hash < right.hash;
    return person(left) < person(right);
  });
}

class RowBuffer::Stream final : public RowStream {
 public:
  Stream(const RowBuffer& buffer, const Row* at, const Row* end) : buffer_(buffer), at_(at), end_(end) {}

  Result<bool> advance() override {
    if (at_ == end_) return false;
    // Rows lie in memory as they came, so each is a miss unless it was asked for in time.
    if (end_ - at_ > kPrefetch) __builtin_prefetch(buffer_.bytes_.get() + at_[kPrefetch].offset);
    row_.hash = at_->hash;
    row_.person = buffer_.person(*at_);
    row_.audiences.clear();
    buffer_.append_audiences(*at_++, row_.audiences);
    bool merged = false;
    while (at_ != end_ && at_->hash == row_.hash && buffer_.person(*at_) == row_.person) {
      buffer_.append_audiences(*at_++, row_.audiences);
      merged = true;
    }
    if (merged) {
      std::sort(row_.audiences.begin(), row_.audiences.end());
      row_.audiences.erase(std::unique(row_.audiences.begin(), row_.audiences.end()), row_.audiences.end());
    }
    return true;
  }

 private:
  const RowBuffer& buffer_;
  const Row* at_;
  const Row* end_;
};

std::unique_ptr<RowStream> RowBuffer::stream(const HashRange& range) const {
  const auto* const begin = rows_.data();
  const auto* const end = begin + rows_.size();
  const auto* const first =
      std::lower_bound(begin, end, range.first, [](const Row& row, std::uint64_t hash) { return row.hash < hash; });
  const auto* const last =
      std::upper_bound(first, end, range.last, [](std::uint64_t hash, const Row& row) { return hash < row.hash; });
  return std::make_unique<Stream>(*this, first, last);
}

void RowBuffer::clear() {
  rows_.clear();
  used_ = 0;
}

}  // namespace audiencesync
