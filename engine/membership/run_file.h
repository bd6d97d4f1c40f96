#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/membership/block_format.h"
#include "engine/membership/bytes.h"
#include "engine/membership/row_stream.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {

/// Where one block of a run lies in its file. Blocks never cross runs and begin with their smallest hash, so a range of
/// hashes can be read on its own.
struct RunBlock {
  std::uint64_t offset = 0;
  std::uint32_t stored = 0;
  std::uint32_t raw = 0;
  std::uint32_t rows = 0;
  std::uint64_t first_hash = 0;
  std::uint64_t checksum = 0;
};

struct Run {
  std::vector<RunBlock> blocks;
  bool cut_at_sections = false;  // blocks end where the first byte of the hash changes
};

/// A temporary file of sorted runs. Its index stays in memory: it never outlives the process that wrote it.
/// Errors: NoSpace, Io.
class RunFile {
 public:
  static Result<std::unique_ptr<RunFile>> create(Files& files, const Path& path, std::size_t block_bytes);

  /// `rows` at most will be added. Long runs are cut at sections, so that each can be read on its own.
  void begin_run(std::uint64_t rows);
  /// Rows of a run come sorted, every person once.
  Result<void> add(const DesiredRow& row);
  Result<void> end_run() { return flush(); }
  /// No more runs; from now on they can be read.
  Result<void> seal();

  const std::vector<Run>& runs() const { return runs_; }
  FileReader& reader() { return *reader_; }

 private:
  RunFile(TempFile file, std::size_t block_bytes) : file_(std::move(file)), block_bytes_(block_bytes) {}
  Result<void> flush();

  TempFile file_;
  std::size_t block_bytes_;
  std::unique_ptr<FileReader> reader_;
  std::vector<Run> runs_;
  BlockCompressor compressor_{BlockCompressor::Use::Temporary};
  std::uint64_t offset_ = 0;
  std::string raw_;
  std::string stored_;
  std::uint32_t block_rows_ = 0;
  std::uint64_t first_hash_ = 0;
  std::uint64_t last_hash_ = 0;
};

/// What the readers of one thread share: none keeps anything there.
struct RunScratch {
  BlockCompressor compressor;
  std::string stored;
};

/// Reads a range of one run in order. Errors: Io, Corrupt when the temporary file changed under us.
class RunReader final : public RowStream {
 public:
  /// All must outlive this.
  RunReader(FileReader& file, const Run& run, const HashRange& range, RunScratch& scratch);

  Result<bool> advance() override;

 private:
  FileReader* file_;
  const Run* run_;
  HashRange range_;
  RunScratch* scratch_;
  std::size_t next_block_ = 0;
  std::uint32_t rows_left_ = 0;
  std::string raw_;
  ByteCursor cursor_;
};

}  // namespace audiencesync
