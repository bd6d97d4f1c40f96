#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace audiencesync {

/// Which ids of audiences may be wanted, answered from a few bytes of the id. Never wrong about a wanted one; of the
/// others, most end here. A value.
class AudienceFilter {
 public:
  void add(std::string_view id) {
    bits_[spot(id) >> 6U] |= std::uint64_t{1} << (spot(id) & 63U);
    if (id.size() < shortest_) shortest_ = id.size();
  }
  bool may_have(std::string_view id) const { return ((bits_[spot(id) >> 6U] >> (spot(id) & 63U)) & 1U) != 0; }
  /// Bytes of the shortest wanted id; SIZE_MAX when there is none.
  std::size_t shortest() const { return shortest_; }

 private:
  static constexpr unsigned kBits = 12;

  static std::uint64_t spot(std::string_view id) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (id.size() >= sizeof first) {
      std::memcpy(&first, id.data(), sizeof first);
      std::memcpy(&last, id.data() + id.size() - sizeof last, sizeof last);
    } else {
      for (const char character : id) first = first << 8U | static_cast<unsigned char>(character);
    }
    return ((first ^ std::rotl(last, 31) ^ id.size()) * 0x9E3779B97F4A7C15ULL) >> (64U - kBits);
  }

  std::array<std::uint64_t, (1U << kBits) / 64> bits_{};
  std::size_t shortest_ = SIZE_MAX;
};

}  // namespace audiencesync
