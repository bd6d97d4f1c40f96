#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace audiencesync {

// The container that snapshots and changesets share; docs/formats/snapshot.md has the layout byte by byte.

inline constexpr std::string_view kBlockMagic{
    "\x89"
    "ASM\r\n\x1A\n",
    8};  // as PNG: shows text-mode damage at once
inline constexpr std::string_view kBlockEnd{"ASM.end\n", 8};
inline constexpr std::uint32_t kBlockVersion = 1;
inline constexpr std::size_t kBlockHeadPrefix = 8 + 4 + 4 + 4;      // magic, version, kind, length of the JSON
inline constexpr std::size_t kBlockPrefix = 4 + 4 + 4 + 4 + 8 + 8;  // stored, raw, rows, zero, first hash, checksum
inline constexpr std::size_t kBlockEntry = 8 + 4 + 4 + 8 + 8;       // offset, stored, rows, first hash, checksum
inline constexpr std::size_t kBlockTrailer = 7 * 8 + 8;

/// Rows are cut into blocks of about this many bytes before compression.
inline constexpr std::size_t kBlockTarget = 256 << 10;
/// No writer makes a block larger than this: a reader refuses it before it asks for the memory.
inline constexpr std::size_t kBlockLargest = 16 << 20;

/// Rows of a file are in 256 sections by the first byte of their hash.
constexpr std::uint64_t section_of(std::uint64_t hash) { return hash >> 56U; }
inline constexpr std::uint64_t kSections = 256;

/// Both ends included.
struct HashRange {
  std::uint64_t first = 0;
  std::uint64_t last = UINT64_MAX;

  static constexpr HashRange section(std::uint64_t number) { return {number << 56U, (number << 56U) | (~0ULL >> 8U)}; }
  /// Whether it begins where a section begins.
  constexpr bool is_sections() const { return (first << 8U) == 0; }
};

enum class BlockKind : std::uint32_t { Snapshot = 1, Changeset = 2, Delta = 3 };

struct BlockEntry {
  std::uint64_t offset = 0;
  std::uint32_t stored = 0;  // bytes of the compressed rows, without the block's prefix
  std::uint32_t rows = 0;
  std::uint64_t first_hash = 0;
  std::uint64_t checksum = 0;
};

std::uint64_t block_checksum(std::string_view bytes);
/// Checksum of two pieces as if they were one.
std::uint64_t block_checksum(std::string_view first, std::string_view second);

/// zstd. Kept files have level 1: higher ones gain little on ids. Temporary ones are written once and read once.
class BlockCompressor {
 public:
  enum class Use { Kept, Temporary };
  explicit BlockCompressor(Use use = Use::Kept);
  BlockCompressor(const BlockCompressor&) = delete;
  BlockCompressor& operator=(const BlockCompressor&) = delete;
  ~BlockCompressor();
  /// Replaces `out`. Errors: Internal.
  Result<void> compress(std::string_view raw, std::string& out);
  /// Replaces `out` with exactly `raw_size` bytes. Errors: Corrupt without a place.
  Result<void> expand(std::string_view stored, std::size_t raw_size, std::string& out);

 private:
  int level_;
  void* compressor_ = nullptr;
  void* expander_ = nullptr;
};

}  // namespace audiencesync
