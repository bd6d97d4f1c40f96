#include "engine/manifest/limit.h"

namespace audiencesync {

bool within(const Limit& limit, std::uint64_t part, std::uint64_t whole) {
  if (limit.count && part > *limit.count) return false;
  if (!limit.share) return true;
  // A share like 29% has no exact binary form: the product may lie a hair below the whole number it stands for.
  constexpr double kRounding = 1e-9;
  const double most = *limit.share * static_cast<double>(whole);
  return static_cast<double>(part) <= most * (1 + kRounding);
}

}  // namespace audiencesync
