#pragma once

#include <cstdint>
#include <string_view>

namespace emulator {

// Spark's murmur3, which differs from everybody else's: the bytes after the last whole word are mixed one by one.

std::int32_t spark_hash_text(std::string_view text, std::int32_t seed);
std::int32_t spark_hash_int(std::int32_t value, std::int32_t seed);
std::int32_t spark_hash_long(std::int64_t value, std::int32_t seed);

}  // namespace emulator
