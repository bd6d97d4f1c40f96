#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/query/sql_failure.h"
#include "emulator/tls/channel.h"

namespace emulator {

/// One message of the PostgreSQL protocol on its way in: its fields are taken from the front.
class PgReader {
 public:
  explicit PgReader(std::string bytes) : bytes_(std::move(bytes)) {}

  /// Each throws SqlFailure 08P01 when the message is shorter than it must be.
  std::int16_t int16();
  std::int32_t int32();
  std::string text();  // up to its zero byte
  std::string bytes(std::size_t count);
  bool empty() const { return at_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// Messages on their way out, gathered and sent in pieces of some 64 KB.
class PgWriter {
 public:
  explicit PgWriter(Channel& channel) : channel_(channel) {}

  void begin(char type);
  void int16(std::int16_t value);
  void int32(std::int32_t value);
  void text(std::string_view value);   // with a zero byte
  void bytes(std::string_view value);  // as they are
  void byte(char value) { out_ += value; }
  /// Closes the message; sends when enough is gathered. False once the peer is gone.
  bool end();
  bool flush();

 private:
  Channel& channel_;
  std::string out_;
  std::size_t begin_ = 0;
  bool gone_ = false;
};

/// Reads exactly `count` bytes; nullopt when the peer is gone.
std::optional<std::string> pg_read(Channel& channel, std::size_t count);

}  // namespace emulator
