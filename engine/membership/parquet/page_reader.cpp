#include "engine/membership/parquet/page_reader.h"

#include <fmt/format.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/membership/parquet/level_decoder.h"
#include "engine/membership/parquet/thrift_reader.h"

namespace audiencesync::parquet {
namespace {

constexpr std::uint64_t kReadAtOnce = 512 << 10;
constexpr std::uint64_t kUsualHeader = 256;  // bytes; statistics can make it larger
constexpr std::uint64_t kLargestHeader = 1 << 20;

bool inflate_whole(std::string_view stored, char* out, std::uint64_t size) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(size);
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole;
}

}  // namespace

struct PageReader::Header {
  std::int64_t type = -1;
  std::int64_t raw = -1;
  std::int64_t stored = -1;
  std::optional<std::int64_t> checksum;
  std::int64_t values = -1;
  std::int64_t encoding = -1;
  std::int64_t repeated_encoding = 3;
  std::int64_t definition_encoding = 3;
  std::int64_t repeated_bytes = 0;
  std::int64_t definition_bytes = 0;
  bool compressed = true;
};

void PageReader::ZstdFree::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

PageReader::PageReader(FileReader& file, const ColumnChunk& chunk, bool has_repeated, bool has_definition)
    : file_(file),
      codec_(chunk.codec),
      has_repeated_(has_repeated),
      has_definition_(has_definition),
      place_(chunk.offset),
      left_(chunk.stored) {}

PageReader::~PageReader() = default;

Error PageReader::damaged(std::string_view what) const {
  return Error(ErrorCode::Corrupt, fmt::format("{} before byte {}", what, place_));
}

Result<void> PageReader::load(std::uint64_t size) {
  if (size <= size_ - begin_) return {};
  const auto missing = size - (size_ - begin_);
  if (missing > left_) return damaged("a column ends too early");
  const auto more = std::min(std::max(missing, kReadAtOnce), left_);
  const auto kept = size_ - begin_;
  if (kept + more + kPadding > capacity_) {
    capacity_ = kept + more + kPadding;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (kept > 0) std::memcpy(larger.get(), buffer_.get() + begin_, kept);
    buffer_ = std::move(larger);
  } else if (kept > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
  }
  begin_ = 0;
  const auto got = TRY(file_.read_at(place_, {buffer_.get() + kept, more}));
  if (got != more) return damaged("the file ends too early");
  size_ = kept + more;
  place_ += more;
  left_ -= more;
  return {};
}

Result<bool> PageReader::next_header(Header& header) {
  const auto rest = size_ - begin_ + left_;
  if (rest == 0) return false;
  for (auto size = kUsualHeader;; size *= 8) {
    TRY(load(std::min<std::uint64_t>(size, rest)));
    ThriftReader in(loaded());
    header = Header();
    in.structure([&](std::int64_t id, std::uint8_t type) {
      const auto take = [&](std::int64_t& into) {
        into = in.number(type);
        return true;
      };
      switch (id) {
        case 1:
          return take(header.type);
        case 2:
          return take(header.raw);
        case 3:
          return take(header.stored);
        case 4:
          header.checksum = in.number(type);
          return true;
        case 5:
        case 7:
        case 8:
          if (type != ThriftReader::Struct) return false;
          in.structure([&](std::int64_t member, std::uint8_t kind) {
            const auto set = [&](std::int64_t& into) {
              into = in.number(kind);
              return true;
            };
            if (member == 1) return set(header.values);
            if (id == 8) {
              if (member == 4) return set(header.encoding);
              if (member == 5) return set(header.definition_bytes);
              if (member == 6) return set(header.repeated_bytes);
              if (member == 7) header.compressed = kind == ThriftReader::True;
              return false;
            }
            if (member == 2) return set(header.encoding);
            if (id == 5 && member == 3) return set(header.definition_encoding);
            if (id == 5 && member == 4) return set(header.repeated_encoding);
            return false;
          });
          return true;
        default:
          return false;
      }
    });
    if (!in.bad()) {
      begin_ += in.used();
      break;
    }
    if (size >= rest || size >= kLargestHeader) return damaged("a page has no header");
  }
  if (header.raw < 0 || header.stored < 0) return damaged("a page has no size");
  return true;
}

Result<std::string_view> PageReader::decompress(std::string_view stored, std::uint64_t raw_size) {
  if (codec_ == static_cast<std::int64_t>(Codec::None)) {
    if (stored.size() != raw_size) return damaged("a page has another size than its header says");
    return stored;
  }
  if (raw_size + kPadding > raw_capacity_) {
    raw_capacity_ = raw_size + kPadding;
    raw_ = std::make_unique_for_overwrite<char[]>(raw_capacity_);
  }
  bool good = false;
  std::size_t size = 0;
  switch (codec_) {
    case static_cast<std::int64_t>(Codec::Snappy):
      good = snappy::GetUncompressedLength(stored.data(), stored.size(), &size) && size == raw_size &&
             snappy::RawUncompress(stored.data(), stored.size(), raw_.get());
      break;
    case static_cast<std::int64_t>(Codec::Zstd):
      if (!zstd_) zstd_.reset(ZSTD_createDCtx());
      good = ZSTD_decompressDCtx(zstd_.get(), raw_.get(), raw_size, stored.data(), stored.size()) == raw_size;
      break;
    case static_cast<std::int64_t>(Codec::Gzip):
      good = inflate_whole(stored, raw_.get(), raw_size);
      break;
    default:
      break;
  }
  if (!good) return damaged("a page cannot be decompressed");
  return std::string_view(raw_.get(), raw_size);
}

// Levels lie in front of the values, each with its length, everything compressed together.
Result<void> PageReader::split_first(const Header& header, Page& page) {
  auto rest = page.content;
  const auto levels = [&](std::int64_t encoding, std::string_view& out) {
    std::uint32_t size = 0;
    if (encoding != static_cast<std::int64_t>(Encoding::Rle) || rest.size() < sizeof size) return false;
    std::memcpy(&size, rest.data(), sizeof size);
    rest.remove_prefix(sizeof size);
    if (size > rest.size()) return false;
    out = rest.substr(0, size);
    rest.remove_prefix(size);
    return true;
  };
  page.repeated = page.definition = {};
  if ((has_repeated_ && !levels(header.repeated_encoding, page.repeated)) ||
      (has_definition_ && !levels(header.definition_encoding, page.definition))) {
    return damaged("the levels of a page cannot be read");
  }
  page.content = rest;
  return {};
}

Result<void> PageReader::split_second(const Header& header, Page& page) {
  const auto stored = page.content;
  const auto levels = header.repeated_bytes + header.definition_bytes;
  if (header.repeated_bytes < 0 || header.definition_bytes < 0 || levels > header.stored || levels > header.raw) {
    return damaged("the levels of a page cannot be read");
  }
  page.repeated = stored.substr(0, static_cast<std::size_t>(header.repeated_bytes));
  page.definition =
      stored.substr(static_cast<std::size_t>(header.repeated_bytes), static_cast<std::size_t>(header.definition_bytes));
  page.content = stored.substr(static_cast<std::size_t>(levels));
  const auto raw = static_cast<std::uint64_t>(header.raw - levels);
  if (header.compressed && raw > 0) page.content = TRY(decompress(page.content, raw));
  return {};
}

Result<bool> PageReader::next(Page& page) {
  while (true) {
    Header header;
    const auto found = TRY(next_header(header));
    if (!found) return false;
    if (static_cast<std::uint64_t>(header.raw) > kLargestPage ||
        static_cast<std::uint64_t>(header.stored) > 2 * kLargestPage) {
      return damaged("a page is larger than any should be");
    }
    const auto stored_size = static_cast<std::size_t>(header.stored);
    TRY(load(stored_size));
    const auto stored = loaded().substr(0, stored_size);
    begin_ += stored_size;
    if (header.checksum) {
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(stored.data()), static_cast<uInt>(stored.size()));
      if (static_cast<std::uint32_t>(*header.checksum) != sum) return damaged("a page fails its checksum");
    }
    const bool dictionary = header.type == 2;
    if (!dictionary && header.type != 0 && header.type != 3) continue;  // an index: nothing for us
    if (header.values < 0 || header.values > INT32_MAX) return damaged("a page has no number of values");
    page.kind = dictionary ? Page::Kind::Dictionary : Page::Kind::Data;
    page.encoding = header.encoding;
    page.values = static_cast<std::uint32_t>(header.values);
    page.content = stored;
    if (header.type == 3) {
      TRY(split_second(header, page));
      return true;
    }
    page.content = TRY(decompress(stored, static_cast<std::uint64_t>(header.raw)));
    if (!dictionary) TRY(split_first(header, page));
    return true;
  }
}

Result<bool> PageReader::pages_are_small() {
  Header header;
  while (TRY(next_header(header))) {
    if (static_cast<std::uint64_t>(header.raw) > kLargestPage) return false;
    const auto size = static_cast<std::uint64_t>(header.stored);
    const auto here = std::min<std::uint64_t>(size, size_ - begin_);
    begin_ += here;
    if (size - here > left_) return damaged("a column ends too early");
    place_ += size - here;
    left_ -= size - here;
  }
  return true;
}

}  // namespace audiencesync::parquet
