#include "engine/membership/row_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/membership/bytes.h"

namespace audiencesync {
namespace {

constexpr std::size_t kUsualChunk = 8 << 10;
constexpr std::size_t kChunksAPart = 8;  // so that half-empty ones waste little

// Rows are written and read all over the buffer, so the processor has to know many pages at once. It is only advice; of
// the pages that stay empty, at most one is larger for it.
void use_large_pages(char* bytes, std::size_t size) {
  constexpr std::uintptr_t kLargePage = 2 << 20;
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes) + kLargePage - 1) & ~(kLargePage - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes) + size) & ~(kLargePage - 1);
  if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace

RowBuffer::RowBuffer(std::size_t bytes, std::size_t dictionary) {
  const auto largest_row = RowRef::bytes_of(RowRef::kLongestPerson, dictionary);
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
  const auto needed = RowRef::bytes_of(person.size(), audiences.size());
  if (part.chunks.empty() || needed > chunk_ - part.used) {
    if (chunks_ == most_chunks_) return Added::Full;
    if (!part.chunks.empty()) chunk_bytes_[part.chunks.back()] = static_cast<std::uint32_t>(part.used);
    part.chunks.push_back(static_cast<std::uint32_t>(chunks_++));
    part.used = 0;
  }
  char* const at = bytes_.get() + part.chunks.back() * chunk_ + part.used;
  RowRef::put_prefix(at, hash, person.size(), audiences.size());
  copy_text(at + RowRef::kPrefix, person);
  char* ranks = at + RowRef::kPrefix + person.size();
  for (const auto rank : audiences) {
    std::memcpy(ranks, &rank, sizeof rank);
    ranks += sizeof rank;
  }
  part.used += needed;
  ++rows_;
  return Added::Yes;
}

void RowBuffer::collect(const Part& part, const HashRange& range, std::vector<RowRef>& out) const {
  for (const auto chunk : part.chunks) {
    const auto used = chunk == part.chunks.back() ? part.used : chunk_bytes_[chunk];
    const char* at = bytes_.get() + chunk * chunk_;
    const char* const end = at + used;
    while (at != end) {
      const auto row = RowRef::of(at);
      at += row.bytes();
      if (row.hash >= range.first && row.hash <= range.last) out.push_back(row);
    }
  }
}

void RowBuffer::collect(const HashRange& range, std::vector<RowRef>& out) const {
  const auto first = part_of(range.first);
  const auto last = part_of(range.last);
  const auto expected = rows_ / parts_.size() * (last - first + 1);
  out.reserve(out.size() + expected + expected / 16 + kSections);
  for (auto part = first; part <= last; ++part) collect(parts_[part], range, out);
}

void RowBuffer::release() {
  clear();
  bytes_.reset();
  most_chunks_ = 0;
}

void RowBuffer::clear() {
  for (auto& part : parts_) part = Part();
  chunks_ = 0;
  rows_ = 0;
}

}  // namespace audiencesync
