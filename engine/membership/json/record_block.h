#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace audiencesync::json {

/// Records longer than this are broken: no profile is, and a parser needs several times its length in memory.
inline constexpr std::size_t kLongestRecord = 4 << 20;

/// Some whole records of a file. Bytes behind each may be read, but mean nothing.
class RecordBlock {
 public:
  /// The parser loads whole words behind the end.
  static constexpr std::size_t kPadding = 128;

  struct Record {
    std::size_t begin = 0;
    std::size_t size = 0;
    /// Its end was not seen: it ends with the file. If it is broken, the file was cut.
    bool open = false;
    bool too_long = false;  // only its beginning is here
  };

  /// Space for `bytes`; what is there stays.
  char* reserve(std::size_t bytes) {
    if (bytes + kPadding > capacity_) grow(bytes);
    return bytes_.get();
  }
  const char* bytes() const { return bytes_.get(); }
  /// Bytes that may be read from `begin` on.
  std::size_t readable(std::size_t begin) const { return capacity_ - begin; }

  std::size_t size = 0;      // bytes that are filled
  std::uint64_t offset = 0;  // of the first byte, in the uncompressed content
  std::vector<Record> records;

  /// Adds the records of lines [begin, end): blank ones are none. `open_end`: the last line has no end of line.
  void split_lines(std::size_t begin, std::size_t end, bool open_end);

 private:
  void grow(std::size_t bytes);
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

}  // namespace audiencesync::json
