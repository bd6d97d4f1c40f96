#pragma once

#include <cstdint>
#include <string_view>

namespace audiencesync::parquet {

/// Reads Thrift's compact protocol, in which Parquet writes its footer and page headers. Never reads past the end:
/// whatever is wrong marks it bad for good, and every answer is 0 or empty from then on.
class ThriftReader {
 public:
  explicit ThriftReader(std::string_view bytes) : begin_(bytes.data()), at_(bytes.data()), end_(at_ + bytes.size()) {}

  enum Type : std::uint8_t {
    Stop = 0,
    True = 1,
    False = 2,
    Byte = 3,
    I16 = 4,
    I32 = 5,
    I64 = 6,
    Double = 7,
    Binary = 8,
    List = 9,
    Set = 10,
    Map = 11,
    Struct = 12
  };

  bool bad() const { return bad_; }
  std::size_t used() const { return static_cast<std::size_t>(at_ - begin_); }

  /// A number of type Byte, I16, I32 or I64.
  std::int64_t number(std::uint8_t type);
  std::string_view binary();

  /// Calls field(id, type) for each field; a field for which it returns false is skipped here.
  template <class Field>
  void structure(Field&& field) {
    if (++depth_ > kDeepest) bad_ = true;
    std::int64_t id = 0;
    while (!bad_) {
      const auto head = byte();
      if (bad_ || (head & 0x0FU) == Stop) break;
      id = (head >> 4U) != 0 ? id + (head >> 4U) : zigzag();
      const auto type = static_cast<std::uint8_t>(head & 0x0FU);
      if (!bad_ && !field(id, type)) skip(type);
    }
    --depth_;
  }

  /// Calls element(type) for each element, which must read it.
  template <class Element>
  void list(Element&& element) {
    std::uint8_t type = 0;
    for (auto left = list_size(type); left > 0 && !bad_; --left) element(type);
  }

  void skip(std::uint8_t type);

 private:
  static constexpr int kDeepest = 40;

  std::uint8_t byte();
  std::uint64_t varint();
  std::int64_t zigzag();
  std::uint64_t list_size(std::uint8_t& type);
  void skip_element(std::uint8_t type);

  const char* begin_;
  const char* at_;
  const char* end_;
  int depth_ = 0;
  bool bad_ = false;
};

}  // namespace audiencesync::parquet
