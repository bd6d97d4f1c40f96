#pragma once

#include <memory>
#include <span>

#include "engine/base/files.h"

namespace audiencesync::json {

enum class Compression { None, Gzip, Zstd };

/// The content of a file from its beginning to its end, decompressed on the way. Memory: a few hundred KiB.
/// Errors: Io; Corrupt, without the file's name, when compressed content is damaged or ends too early.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `into`; fewer bytes only at the end.
  virtual Result<std::size_t> read(std::span<char> into) = 0;

  /// By the first bytes of the file, never by its name.
  static Result<Compression> compression_of(FileReader& file);
  /// The file must outlive the stream.
  static std::unique_ptr<ByteStream> open(FileReader& file, Compression compression);
};

}  // namespace audiencesync::json
