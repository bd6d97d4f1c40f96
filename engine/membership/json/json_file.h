#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "engine/membership/json/byte_stream.h"
#include "engine/membership/json/record_block.h"

namespace audiencesync::json {

/// One export file, given out in blocks of whole records to any number of threads. Lines of a plain file are read by
/// whoever takes them; of compressed files and of arrays the next block is made under a lock, while others parse.
///
/// Errors: NotFound, Io; Corrupt, without the file's name, when it ends inside of an array or of compressed content.
class JsonFile {
 public:
  JsonFile(const Files& files, Path path) : files_(files), path_(std::move(path)) {}

  const Path& path() const { return path_; }
  /// Replaces the content of `block`; false when there is none left.
  Result<bool> take(RecordBlock& block);

 private:
  enum class Form { Unknown, PlainLines, StreamedLines, Array, Done };

  Result<void> open();
  Result<bool> take_range(RecordBlock& block, FileReader& file, std::uint64_t begin) const;
  Result<bool> take_lines(RecordBlock& block);
  Result<bool> take_elements(RecordBlock& block);
  Result<bool> take_next_elements(RecordBlock& block);
  /// Moves what was left over into `block` and reads on. False when neither gave a byte.
  Result<bool> fill(RecordBlock& block);
  bool scan_elements(RecordBlock& block, std::size_t& kept, const char*& problem);
  void close();

  const Files& files_;
  Path path_;
  std::mutex mutex_;
  Form form_ = Form::Unknown;
  std::shared_ptr<FileReader> file_;  // shared with who reads a range; gone when the last range is given
  std::uint64_t size_ = 0;
  std::uint64_t first_ = 0;  // of a plain file: where its content begins
  std::uint64_t next_ = 0;   // of a plain file: where the next range begins
  std::unique_ptr<ByteStream> stream_;
  std::string rest_;          // bytes behind the last whole record
  std::uint64_t offset_ = 0;  // of rest_
  bool at_end_ = false;       // the stream has given everything
  bool failed_ = false;       // an error of its array was told
  bool skipping_ = false;     // inside of a line that is too long
  // Where the scan of an array stands, from block to block.
  enum class Expects { Open, FirstOrEnd, Element, CommaOrEnd, Nothing };
  Expects expects_ = Expects::Open;
};

}  // namespace audiencesync::json
