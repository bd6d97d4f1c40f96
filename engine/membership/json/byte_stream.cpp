#include "engine/membership/json/byte_stream.h"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <string>

namespace audiencesync::json {
namespace {

constexpr std::size_t kStoredAtOnce = 128 << 10;

Error damaged_stream() { return Error(ErrorCode::Corrupt, "its compressed content is damaged or ends too early"); }

// The file as it is, in pieces.
class StoredBytes {
 public:
  explicit StoredBytes(FileReader& file) : file_(file) {}

  Result<std::size_t> read(std::span<char> into) {
    const auto count = TRY(file_.read_at(offset_, into));
    offset_ += count;
    return count;
  }

 private:
  FileReader& file_;
  std::uint64_t offset_ = 0;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(FileReader& file) : stored_(file) {}
  Result<std::size_t> read(std::span<char> into) override { return stored_.read(into); }

 private:
  StoredBytes stored_;
};

// Several members one after the other are one content, as gzip itself has it.
class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(FileReader& file) : stored_(file), piece_(kStoredAtOnce, '\0') {
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() override { inflateEnd(&stream_); }

  Result<std::size_t> read(std::span<char> into) override {
    if (!ready_) return Error(ErrorCode::Internal, "zlib cannot be started");
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) {
        const auto count = TRY(stored_.read(piece_));
        if (count == 0) {
          if (inside_) return damaged_stream();
          break;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(piece_.data());
        stream_.avail_in = static_cast<uInt>(count);
      }
      inside_ = true;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        inside_ = false;
        inflateReset(&stream_);
      } else if (result != Z_OK) {
        return damaged_stream();
      }
    }
    return into.size() - stream_.avail_out;
  }

 private:
  StoredBytes stored_;
  std::string piece_;
  z_stream stream_{};
  bool ready_ = false;
  bool inside_ = false;  // of a member
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(FileReader& file) : stored_(file), piece_(kStoredAtOnce, '\0'), stream_(ZSTD_createDStream()) {
    // A frame may ask for a window; more than this and reading would not stay within the memory limit.
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 25);
  }

  Result<std::size_t> read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size && !full_) {
        const auto count = TRY(stored_.read(piece_));
        if (count == 0) {
          if (inside_) return damaged_stream();
          break;
        }
        in_ = {piece_.data(), count, 0};
      }
      const auto before = out.pos;
      const auto hint = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(hint) != 0) return damaged_stream();
      inside_ = hint != 0;
      // With room left nothing more was held back.
      full_ = out.pos == out.size && inside_ && out.pos > before;
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  StoredBytes stored_;
  std::string piece_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool inside_ = false;  // of a frame
  bool full_ = false;    // output may be waiting inside
};

}  // namespace

Result<Compression> ByteStream::compression_of(FileReader& file) {
  std::array<char, 4> first{};
  const auto count = TRY(file.read_at(0, first));
  if (count >= 2 && std::memcmp(first.data(), "\x1F\x8B", 2) == 0) return Compression::Gzip;
  if (count == 4 && std::memcmp(first.data(), "\x28\xB5\x2F\xFD", 4) == 0) return Compression::Zstd;
  return Compression::None;
}

std::unique_ptr<ByteStream> ByteStream::open(FileReader& file, Compression compression) {
  switch (compression) {
    case Compression::Gzip:
      return std::make_unique<GzipStream>(file);
    case Compression::Zstd:
      return std::make_unique<ZstdStream>(file);
    case Compression::None:
      break;
  }
  return std::make_unique<PlainStream>(file);
}

}  // namespace audiencesync::json
