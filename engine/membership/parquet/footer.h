#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/files.h"

namespace audiencesync::parquet {

// Numbers of the format's own enumerations, as far as we read them.

enum class Physical : std::int8_t { None = -1, Boolean = 0, Int32, Int64, Int96, Float, Double, Bytes, FixedBytes };
enum class Repetition : std::uint8_t { Required = 0, Optional = 1, Repeated = 2 };
enum class Codec : std::int8_t { None = 0, Snappy = 1, Gzip = 2, Zstd = 6 };
enum class Encoding : std::int8_t { Plain = 0, PlainDictionary = 2, Rle = 3, RleDictionary = 8 };

/// A column or group of the schema, with the levels that its values have.
struct SchemaNode {
  /// What an annotation, old or new, says about it. Other: something else than text.
  enum class Kind { None, Text, Map, Other };

  std::string name;
  Physical type = Physical::None;  // None: a group
  Repetition repetition = Repetition::Required;
  Kind kind = Kind::None;
  int definition = 0;  // level of a value that is there
  int repeated = 0;    // repetition level
  int leaf = -1;       // position among the leaves, for a column
  std::vector<SchemaNode> children;
};

/// A number that a footer must have and has not.
inline constexpr std::uint64_t kUnsaid = UINT64_MAX;

/// Where one column of one row group lies.
struct ColumnChunk {
  Physical type = Physical::None;
  std::int64_t codec = -1;
  std::uint64_t encodings = 0;     // a bit for each that occurs
  std::uint64_t values = kUnsaid;  // levels: nulls count
  std::uint64_t offset = kUnsaid;  // of the first page
  std::uint64_t stored = kUnsaid;  // bytes of all pages with their headers
  std::uint64_t raw = kUnsaid;     // the same, uncompressed
  bool elsewhere = false;          // in another file, or encrypted
};

struct RowGroup {
  std::uint64_t rows = kUnsaid;
  std::vector<ColumnChunk> columns;  // by leaf
};

struct Footer {
  SchemaNode root;
  std::uint64_t rows = kUnsaid;
  std::vector<RowGroup> groups;
};

/// Reads the footer; nullopt when it is not one we understand, be it damaged, encrypted or too large. What it says has
/// been checked against the size of the file. Errors: Io.
Result<std::optional<Footer>> read_footer(FileReader& file);

}  // namespace audiencesync::parquet
