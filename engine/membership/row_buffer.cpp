#include "engine/membership/row_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/membership/bytes.h"

namespace audiencesync {
namespace {

constexpr std::size_t kRowPrefix = 8 + 2 + 2;
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kUsualChunk = 8 << 10;
constexpr std::size_t kFewRows = 64;
constexpr std::size_t kChunksAPart = 8;  // so that half-empty ones waste little

template <class Number>
Number load_number(const char* from) {
  Number number{};
  std::memcpy(&number, from, sizeof number);
  return number;
}

std::size_t row_bytes(const char* row) {
  return kRowPrefix + load_number<std::uint16_t>(row + 8) + load_number<std::uint16_t>(row + 10) * sizeof(Rank);
}

// Rows are written and read all over the buffer, so the processor has to know many pages at once. It is only advice; of
// the pages that stay empty, at most one is larger for it.
void use_large_pages(char* bytes, std::size_t size) {
  constexpr std::uintptr_t kLargePage = 2 << 20;
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes) + kLargePage - 1) & ~(kLargePage - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes) + size) & ~(kLargePage - 1);
  if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace

/// Where a row lies, with what it is mostly compared by.
struct RowBuffer::Row {
  std::uint64_t hash = 0;
  const char* at = nullptr;

  std::string_view person() const { return {at + kRowPrefix, load_number<std::uint16_t>(at + 8)}; }
  void append_audiences(Ranks& out) const {
    const std::size_t count = load_number<std::uint16_t>(at + 10);
    const auto before = out.size();
    out.resize(before + count);
    if (count > 0) {
      std::memcpy(out.data() + before, at + kRowPrefix + load_number<std::uint16_t>(at + 8), count * sizeof(Rank));
    }
  }
};

namespace {

/// Sorts rows by (hash, person). Hashes are even, so rows are dealt into as many heaps as there are rows, by the bits
/// in which they differ; what is left to sort is next to nothing. Where hashes are not even the heaps are sorted as
/// usual.
template <class Row>
void sort_rows(std::vector<Row>& rows) {
  const auto before = [](const Row& left, const Row& right) {
    if (left.hash != right.hash) return left.hash < right.hash;
    return left.person() < right.person();
  };
  if (rows.size() < kFewRows) return std::sort(rows.begin(), rows.end(), before);
  auto least = rows.front().hash;
  auto most = least;
  for (const auto& row : rows) {
    least = std::min(least, row.hash);
    most = std::max(most, row.hash);
  }
  const auto heap_bits = std::bit_width(rows.size());
  const auto range_bits = std::bit_width(most - least);
  const auto shift = range_bits > heap_bits ? range_bits - heap_bits : 0;
  std::vector<std::uint32_t> ends((std::size_t{1} << heap_bits) + 1, 0);
  const auto heap_of = [&](const Row& row) { return (row.hash - least) >> shift; };
  for (const auto& row : rows) ++ends[heap_of(row) + 1];
  for (std::size_t heap = 1; heap < ends.size(); ++heap) ends[heap] += ends[heap - 1];
  std::vector<Row> dealt(rows.size());
  for (const auto& row : rows) dealt[ends[heap_of(row)]++] = row;
  // Each entry is now the end of its heap.
  std::uint32_t begin = 0;
  for (const auto end : ends) {
    if (end - begin > 1) std::sort(dealt.begin() + begin, dealt.begin() + end, before);
    begin = std::max(begin, end);
  }
  rows = std::move(dealt);
}

}  // namespace

class RowBuffer::Stream final : public RowStream {
 public:
  explicit Stream(std::vector<Row> rows) : rows_(std::move(rows)) { sort_rows(rows_); }

  Result<bool> advance() override {
    if (next_ == rows_.size()) return false;
    const auto& first = rows_[next_++];
    row_.hash = first.hash;
    row_.person = first.person();
    row_.audiences.clear();
    first.append_audiences(row_.audiences);
    bool merged = false;
    while (next_ != rows_.size() && rows_[next_].hash == row_.hash && same_text(rows_[next_].person(), row_.person)) {
      rows_[next_++].append_audiences(row_.audiences);
      merged = true;
    }
    if (merged) {
      std::sort(row_.audiences.begin(), row_.audiences.end());
      row_.audiences.erase(std::unique(row_.audiences.begin(), row_.audiences.end()), row_.audiences.end());
    }
    return true;
  }

 private:
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

RowBuffer::RowBuffer(std::size_t bytes, std::size_t dictionary) {
  const auto largest_row = kRowPrefix + kLongestText + dictionary * sizeof(Rank);
  // A small budget has smaller chunks, and few parts.
  chunk_ = std::max(largest_row, std::min(kUsualChunk, bytes / 4));
  most_chunks_ = std::max<std::size_t>(bytes / chunk_, 4);
  const auto parts = std::clamp<std::size_t>(std::bit_floor(most_chunks_ / kChunksAPart), 1, kSections);
  part_bits_ = static_cast<unsigned>(std::countr_zero(parts));
  parts_.resize(parts);
  bytes_ = std::make_unique_for_overwrite<char[]>(most_chunks_ * chunk_);
  use_large_pages(bytes_.get(), most_chunks_ * chunk_);
  chunk_bytes_.resize(most_chunks_, 0);
}

RowBuffer::Added RowBuffer::add(std::uint64_t hash, std::string_view person, std::span<const Rank> audiences) {
  auto& part = parts_[part_of(hash)];
  const auto needed = kRowPrefix + person.size() + audiences.size_bytes();
  if (part.chunks.empty() || needed > chunk_ - part.used) {
    if (chunks_ == most_chunks_) return Added::Full;
    if (!part.chunks.empty()) chunk_bytes_[part.chunks.back()] = static_cast<std::uint32_t>(part.used);
    part.chunks.push_back(static_cast<std::uint32_t>(chunks_++));
    part.used = 0;
  }
  char* const at = bytes_.get() + part.chunks.back() * chunk_ + part.used;
  const auto length = static_cast<std::uint16_t>(person.size());
  const auto count = static_cast<std::uint16_t>(audiences.size());
  std::memcpy(at, &hash, sizeof hash);
  std::memcpy(at + 8, &length, sizeof length);
  std::memcpy(at + 10, &count, sizeof count);
  std::memcpy(at + kRowPrefix, person.data(), person.size());
  if (count > 0) std::memcpy(at + kRowPrefix + person.size(), audiences.data(), audiences.size_bytes());
  part.used += needed;
  ++rows_;
  return Added::Yes;
}

void RowBuffer::collect(const Part& part, const HashRange& range, std::vector<Row>& out) const {
  for (const auto chunk : part.chunks) {
    const auto used = chunk == part.chunks.back() ? part.used : chunk_bytes_[chunk];
    const char* at = bytes_.get() + chunk * chunk_;
    for (const char* const end = at + used; at != end; at += row_bytes(at)) {
      const auto hash = load_number<std::uint64_t>(at);
      if (hash >= range.first && hash <= range.last) out.push_back({hash, at});
    }
  }
}

std::unique_ptr<RowStream> RowBuffer::stream(const HashRange& range) const {
  const RowBuffer* const alone = this;
  return stream({&alone, 1}, range);
}

std::unique_ptr<RowStream> RowBuffer::stream(std::span<const RowBuffer* const> buffers, const HashRange& range) {
  std::size_t expected = kSections;
  for (const auto* one : buffers) {
    expected += one->rows_ / one->parts_.size() * (one->part_of(range.last) - one->part_of(range.first) + 1);
  }
  std::vector<Row> rows;
  rows.reserve(expected + expected / 16);
  for (const auto* one : buffers) {
    for (auto part = one->part_of(range.first); part <= one->part_of(range.last); ++part) {
      one->collect(one->parts_[part], range, rows);
    }
  }
  return std::make_unique<Stream>(std::move(rows));
}

std::unique_ptr<RowStream> RowBuffer::part_stream(std::size_t part) const {
  std::vector<Row> rows;
  collect(parts_[part], {}, rows);
  return std::make_unique<Stream>(std::move(rows));
}

void RowBuffer::clear() {
  for (auto& part : parts_) part = Part();
  chunks_ = 0;
  rows_ = 0;
}

}  // namespace audiencesync
