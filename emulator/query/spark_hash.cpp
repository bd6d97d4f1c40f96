#include "emulator/query/spark_hash.h"

#include <cstring>

namespace emulator {
namespace {

std::uint32_t rotated(std::uint32_t value, unsigned by) { return (value << by) | (value >> (32U - by)); }

std::uint32_t mixed_word(std::uint32_t word) { return rotated(word * 0xcc9e2d51U, 15) * 0x1b873593U; }

std::uint32_t mixed_in(std::uint32_t state, std::uint32_t word) {
  return rotated(state ^ mixed_word(word), 13) * 5U + 0xe6546b64U;
}

std::int32_t finished(std::uint32_t state, std::uint32_t length) {
  state ^= length;
  state = (state ^ (state >> 16U)) * 0x85ebca6bU;
  state = (state ^ (state >> 13U)) * 0xc2b2ae35U;
  return static_cast<std::int32_t>(state ^ (state >> 16U));
}

}  // namespace

std::int32_t spark_hash_text(std::string_view text, std::int32_t seed) {
  auto state = static_cast<std::uint32_t>(seed);
  const std::size_t whole = text.size() - text.size() % 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);  // little endian, as on every machine Spark runs on
    state = mixed_in(state, word);
  }
  for (std::size_t i = whole; i < text.size(); ++i)
    state = mixed_in(state, static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(text[i]))));
  return finished(state, static_cast<std::uint32_t>(text.size()));
}

std::int32_t spark_hash_int(std::int32_t value, std::int32_t seed) {
  return finished(mixed_in(static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(value)), 4);
}

std::int32_t spark_hash_long(std::int64_t value, std::int32_t seed) {
  const auto bits = static_cast<std::uint64_t>(value);
  const std::uint32_t low = mixed_in(static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(bits));
  return finished(mixed_in(low, static_cast<std::uint32_t>(bits >> 32U)), 8);
}

}  // namespace emulator
