#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/value.h"

namespace audiencesync {

/// A SHA-256 value as 64 lower-case hex digits; "" when nothing was hashed.
using Digest = std::string;

/// SHA-256 over a stream of bytes. Not thread-safe; usable once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);
  std::array<std::uint8_t, 32> finish_bytes();
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view bytes);
/// Digest of the canonical JSON of a value.
Digest digest_of(const Value& value);

std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace audiencesync
