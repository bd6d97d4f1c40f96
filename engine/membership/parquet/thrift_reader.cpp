#include "engine/membership/parquet/thrift_reader.h"

namespace audiencesync::parquet {

std::uint8_t ThriftReader::byte() {
  if (bad_ || at_ == end_) {
    bad_ = true;
    return 0;
  }
  return static_cast<std::uint8_t>(*at_++);
}

std::uint64_t ThriftReader::varint() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const auto part = byte();
    if (bad_) return 0;
    if (shift < 64) number |= static_cast<std::uint64_t>(part & 0x7FU) << shift;
    if (part < 0x80) return number;
  }
  bad_ = true;
  return 0;
}

std::int64_t ThriftReader::zigzag() {
  const auto number = varint();
  return static_cast<std::int64_t>(number >> 1U) ^ -static_cast<std::int64_t>(number & 1U);
}

std::int64_t ThriftReader::number(std::uint8_t type) {
  if (type == Byte) return static_cast<std::int8_t>(byte());
  if (type == I16 || type == I32 || type == I64) return zigzag();
  bad_ = true;
  return 0;
}

std::string_view ThriftReader::binary() {
  const auto size = varint();
  if (bad_ || size > static_cast<std::uint64_t>(end_ - at_)) {
    bad_ = true;
    return {};
  }
  const std::string_view view(at_, size);
  at_ += size;
  return view;
}

std::uint64_t ThriftReader::list_size(std::uint8_t& type) {
  const auto head = byte();
  type = head & 0x0FU;
  const std::uint64_t size = (head >> 4U) == 15 ? varint() : head >> 4U;
  // Each element has a byte at least, so a list that claims more is damage.
  if (size > static_cast<std::uint64_t>(end_ - at_)) bad_ = true;
  return bad_ ? 0 : size;
}

// Inside a list a truth value is a byte; as a field it is in the field's type.
void ThriftReader::skip_element(std::uint8_t type) {
  if (type == True || type == False) {
    byte();
  } else {
    skip(type);
  }
}

void ThriftReader::skip(std::uint8_t type) {
  if (++depth_ > kDeepest) bad_ = true;
  if (bad_) return;
  switch (type) {
    case True:
    case False:
      break;
    case Byte:
      byte();
      break;
    case I16:
    case I32:
    case I64:
      varint();
      break;
    case Double:
      for (int i = 0; i < 8; ++i) byte();
      break;
    case Binary:
      binary();
      break;
    case List:
    case Set:
      list([this](std::uint8_t element) { skip_element(element); });
      break;
    case Map: {
      auto left = varint();
      if (left > static_cast<std::uint64_t>(end_ - at_)) bad_ = true;
      const auto types = left > 0 ? byte() : std::uint8_t{0};
      for (; left > 0 && !bad_; --left) {
        skip_element(types >> 4U);
        skip_element(types & 0x0FU);
      }
      break;
    }
    case Struct:
      structure([](std::int64_t, std::uint8_t) { return false; });
      break;
    default:
      bad_ = true;
  }
  --depth_;
}

}  // namespace audiencesync::parquet
