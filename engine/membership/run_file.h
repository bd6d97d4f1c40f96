#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/person_codec.h"
#include "engine/membership/row_ref.h"
#include "engine/membership/row_stream.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {

/// Where a block of a run lies: it ends where the next one begins. Blocks never cross runs and begin with their
/// smallest hash, so a range of hashes can be read on its own.
struct RunBlock {
  std::uint64_t offset = 0;
  std::uint64_t first_hash = 0;
};

struct Run {
  std::vector<RunBlock> blocks;
  std::uint64_t end = 0;         // of the last block
  bool cut_at_sections = false;  // blocks end where the first byte of the hash changes
};

/// How the rows of a run file are written.
struct RunShape {
  std::size_t block_bytes = 0;  // of a block in memory, about
  std::size_t dictionary = 0;   // ranks are below
  /// What gives the hash of every row from its person; null when rows come with hashes of something else.
  std::uint64_t (*hash)(std::string_view) = nullptr;
};

/// A temporary file of sorted runs. Its index stays in memory: it never outlives the process that wrote it. Of a row
/// there is what cannot be told from elsewhere: no hash that follows from the person, of the person what PersonCodec
/// leaves, a bit for each audience where there are few. Blocks that stay large for all that go through zstd.
/// Errors: NoSpace, Io.
class RunFile {
 public:
  static Result<std::unique_ptr<RunFile>> create(Files& files, const Path& path, const RunShape& shape);

  /// `rows` at most will be added. Long runs are cut at sections, so that each can be read on its own.
  void begin_run(std::uint64_t rows);
  /// Rows of a run come sorted, every person once.
  Result<void> add(const DesiredRow& row);
  Result<void> end_run();
  /// No more runs; from now on they can be read.
  Result<void> seal();

  const std::vector<Run>& runs() const { return runs_; }
  std::uint64_t rows(const Run& run) const { return rows_[static_cast<std::size_t>(&run - runs_.data())]; }

 private:
  friend class RunCursor;

  RunFile(TempFile file, const RunShape& shape);
  Result<void> flush();
  Result<void> write_out();
  char* put_set(char* out, const Ranks& audiences) const;

  TempFile file_;
  RunShape shape_;
  std::size_t mask_bytes_;  // of the set of a row; 0 when sets are lists
  PersonCodec people_;
  std::unique_ptr<FileReader> reader_;
  std::vector<Run> runs_;
  std::vector<std::uint64_t> rows_;  // of each run
  BlockCompressor compressor_{BlockCompressor::Use::Temporary};
  std::uint64_t offset_ = 0;  // of the next block
  std::string out_;           // whole blocks on their way to the file
  std::string packed_;        // rows of the block; larger than what is used
  std::size_t used_ = 0;
  std::string squeezed_;
  std::size_t plain_ = 0;     // what people and sets of the block would take as they are
  std::size_t expanded_ = 0;  // what its rows take in memory
  std::uint32_t block_rows_ = 0;
  std::uint64_t first_hash_ = 0;
  std::uint64_t last_hash_ = 0;
};

/// The rows of a block in memory. Kept from block to block for its allocations.
struct DecodedBlock {
  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0;
  std::vector<RowRef> rows;
};

/// What the readers of one thread share: none keeps anything there but blocks it is done with.
struct RunScratch {
  BlockCompressor compressor;
  std::string stored;
  std::string expanded;
  std::vector<DecodedBlock> spare;
  RowRefSorter sorter;
};

/// Reads a range of one run in order, block by block. Errors: Io, Corrupt when the temporary file changed under us.
class RunCursor {
 public:
  /// All must outlive this; `file` is sealed.
  RunCursor(const RunFile& file, const Run& run, const HashRange& range, RunScratch& scratch);
  RunCursor(RunCursor&& other) noexcept = default;
  RunCursor& operator=(RunCursor&& other) noexcept = default;

  /// Rows of the current block that were not taken, in order; valid until the next `load`.
  std::span<const RowRef> rows() const { return std::span(block_.rows).subspan(next_); }
  void take(std::size_t count) { next_ += count; }
  /// Whether there are blocks beyond the current one.
  bool more() const { return next_block_ < end_block_; }
  /// Replaces the current block by the next one, which may turn out to have no row of the range.
  Result<void> load();
  /// What the last block took may be used for another run; nothing is read from this one any more.
  void give_back();

 private:
  Result<void> decode(const char* from, const char* end, std::uint32_t rows, std::uint32_t expanded,
                      std::uint64_t first_hash);
  const char* get_set(const char* from, const char* end, char* into, std::size_t room, std::size_t& count) const;

  const RunFile* file_;
  const Run* run_;
  HashRange range_;
  RunScratch* scratch_;
  std::size_t next_block_ = 0;
  std::size_t end_block_ = 0;
  DecodedBlock block_;
  std::size_t next_ = 0;
};

}  // namespace audiencesync
