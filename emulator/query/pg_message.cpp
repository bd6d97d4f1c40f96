#include "emulator/query/pg_message.h"

#include <algorithm>

namespace emulator {
namespace {

constexpr std::size_t kGathered = 64 << 10;
constexpr std::size_t kReadPiece = 256 << 10;

}  // namespace

std::string PgReader::bytes(std::size_t count) {
  if (bytes_.size() - at_ < count) throw SqlFailure("08P01", "a message is shorter than it must be");
  at_ += count;
  return bytes_.substr(at_ - count, count);
}

std::int16_t PgReader::int16() {
  const std::string two = bytes(2);
  return static_cast<std::int16_t>((static_cast<unsigned char>(two[0]) << 8U) | static_cast<unsigned char>(two[1]));
}

std::int32_t PgReader::int32() {
  std::uint32_t value = 0;
  for (const char c : bytes(4)) value = (value << 8U) | static_cast<unsigned char>(c);
  return static_cast<std::int32_t>(value);
}

std::string PgReader::text() {
  const std::size_t end = bytes_.find('\0', at_);
  if (end == std::string::npos) throw SqlFailure("08P01", "a text in a message is never closed");
  std::string out = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return out;
}

void PgWriter::begin(char type) {
  out_ += type;
  begin_ = out_.size();
  out_.append(4, '\0');
}

void PgWriter::int16(std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  out_ += static_cast<char>(bits >> 8U);
  out_ += static_cast<char>(bits & 255U);
}

void PgWriter::int32(std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>((bits >> static_cast<unsigned>(shift)) & 255U);
}

void PgWriter::text(std::string_view value) {
  out_.append(value.data(), value.size());
  out_ += '\0';
}

void PgWriter::bytes(std::string_view value) { out_.append(value.data(), value.size()); }

bool PgWriter::end() {
  const auto length = static_cast<std::uint32_t>(out_.size() - begin_);
  for (unsigned i = 0; i < 4; ++i) out_[begin_ + i] = static_cast<char>((length >> (24 - 8 * i)) & 255U);
  return out_.size() < kGathered ? !gone_ : flush();
}

bool PgWriter::flush() {
  if (!gone_ && !channel_.write(out_)) gone_ = true;
  out_.clear();
  return !gone_;
}

std::optional<std::string> pg_read(Channel& channel, std::size_t count) {
  // Grows as the bytes come: a length alone takes no memory.
  std::string out;
  while (out.size() < count) {
    const std::size_t had = out.size();
    out.resize(had + std::min(kReadPiece, count - had));
    const std::size_t got = channel.read(out.data() + had, out.size() - had);
    if (got == 0) return std::nullopt;
    out.resize(had + got);
  }
  return out;
}

}  // namespace emulator
