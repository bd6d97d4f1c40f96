#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/membership/parquet/footer.h"

struct ZSTD_DCtx_s;

namespace audiencesync::parquet {

/// One page, decompressed. Views are valid until the next page is read; kPadding bytes behind each are readable.
struct Page {
  enum class Kind { Dictionary, Data };
  Kind kind = Kind::Data;
  std::int64_t encoding = 0;
  std::uint32_t values = 0;  // of a data page: levels, nulls count
  std::string_view repeated;
  std::string_view definition;
  std::string_view content;
};

/// Pages larger than this are not for us: two threads with several columns each must stay within the budget.
inline constexpr std::uint64_t kLargestPage = 32 << 20;

/// Reads the pages of one column chunk in order. Memory: one page as stored and one decompressed.
/// Errors: Io; Corrupt, without the file's name, for pages that cannot be read.
class PageReader {
 public:
  /// The file must outlive this. `has_repeated`, `has_definition`: whether pages carry such levels.
  PageReader(FileReader& file, const ColumnChunk& chunk, bool has_repeated, bool has_definition);
  ~PageReader();
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;

  /// False at the end of the chunk.
  Result<bool> next(Page& page);
  /// Whether every page is within kLargestPage; looks at the headers only.
  Result<bool> pages_are_small();

 private:
  struct Header;
  struct ZstdFree {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  Result<bool> next_header(Header& header);
  /// At least `size` bytes of the chunk from the current place on, in memory.
  Result<void> load(std::uint64_t size);
  Result<std::string_view> decompress(std::string_view stored, std::uint64_t raw_size);
  Result<void> split_first(const Header& header, Page& page);
  Result<void> split_second(const Header& header, Page& page);
  std::string_view loaded() const { return {buffer_.get() + begin_, size_ - begin_}; }
  Error damaged(std::string_view what) const;

  FileReader& file_;
  std::int64_t codec_;
  bool has_repeated_;
  bool has_definition_;
  std::uint64_t place_;  // in the file, of the first byte that is not in memory
  std::uint64_t left_;   // bytes of the chunk that are not in memory
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::unique_ptr<char[]> raw_;
  std::size_t raw_capacity_ = 0;
  std::unique_ptr<ZSTD_DCtx_s, ZstdFree> zstd_;
};

}  // namespace audiencesync::parquet
