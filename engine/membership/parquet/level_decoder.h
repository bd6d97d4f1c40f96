#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace audiencesync::parquet {

/// Bytes that must be readable behind everything this reads: whole words are loaded.
inline constexpr std::size_t kPadding = 16;

/// Reads Parquet's mixture of runs and bit-packed groups: levels and dictionary indices.
class LevelDecoder {
 public:
  LevelDecoder() = default;
  /// `width` bits a number, 0 to 32. kPadding bytes behind `bytes` are readable.
  LevelDecoder(std::string_view bytes, unsigned width)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), width_(width), bytes_a_number_((width + 7) / 8) {}

  /// Exactly `count` numbers; false when there are fewer.
  template <class Number>
  bool read(Number* out, std::size_t count) {
    while (count > 0) {
      if (run_ == 0 && packed_ == 0 && !begin_run()) return false;
      if (run_ > 0) {
        const auto some = std::min<std::uint64_t>(count, run_);
        std::fill_n(out, some, static_cast<Number>(value_));
        run_ -= some;
        out += some;
        count -= some;
      } else {
        const auto some = std::min<std::uint64_t>(count, packed_);
        unpack(out, some);
        packed_ -= some;
        out += some;
        count -= some;
      }
    }
    return true;
  }

  /// How many numbers, at most `count`, come next that are all the same; 0 when the next ones are packed. Nothing is
  /// consumed.
  std::size_t same(std::size_t count, std::uint32_t& value) {
    if (run_ == 0 && packed_ == 0 && !begin_run()) return 0;
    value = value_;
    return std::min<std::uint64_t>(count, run_);
  }
  void skip_same(std::size_t count) { run_ -= count; }

 private:
  bool begin_run() {
    while (run_ == 0 && packed_ == 0) {
      std::uint64_t head = 0;
      unsigned shift = 0;
      while (true) {
        if (at_ == end_ || shift > 35) return false;
        const auto part = static_cast<unsigned char>(*at_++);
        head |= static_cast<std::uint64_t>(part & 0x7FU) << shift;
        if (part < 0x80) break;
        shift += 7;
      }
      const auto left = static_cast<std::uint64_t>(end_ - at_);
      if ((head & 1U) == 0) {
        if (bytes_a_number_ > left) return false;
        run_ = head >> 1U;
        value_ = 0;
        std::memcpy(&value_, at_, bytes_a_number_);
        if (width_ < 32 && (value_ >> width_) != 0) return false;
        at_ += bytes_a_number_;
      } else {
        const auto groups = head >> 1U;
        // The last group may be cut off behind the last number.
        const auto size = std::min(groups * width_, left);
        packed_ = width_ == 0 ? groups * 8 : std::min(groups * 8, size * 8 / width_);
        if (packed_ == 0 && groups > 0) return false;
        bits_ = at_;
        bit_ = 0;
        at_ += size;
      }
    }
    return true;
  }

  template <class Number>
  void unpack(Number* out, std::uint64_t count) {
    const auto mask = (std::uint64_t{1} << width_) - 1;
    // A word loaded at the byte of its first bit has 57 good bits: as many numbers as fit are taken from it at once.
    const unsigned at_once = width_ == 0 ? 64 : 57 / width_;
    while (count > 0) {
      std::uint64_t word = 0;
      std::memcpy(&word, bits_ + (bit_ >> 3U), sizeof word);
      word >>= bit_ & 7U;
      const auto some = std::min<std::uint64_t>(count, at_once);
      for (std::uint64_t i = 0; i < some; ++i) {
        out[i] = static_cast<Number>(word & mask);
        word >>= width_;
      }
      out += some;
      count -= some;
      bit_ += some * width_;
    }
  }

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  unsigned width_ = 0;
  unsigned bytes_a_number_ = 0;
  std::uint64_t run_ = 0;
  std::uint32_t value_ = 0;
  std::uint64_t packed_ = 0;
  const char* bits_ = nullptr;
  std::uint64_t bit_ = 0;
};

}  // namespace audiencesync::parquet
