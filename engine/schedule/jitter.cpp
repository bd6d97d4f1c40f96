#include "engine/schedule/jitter.h"

#include <string>

#include "engine/base/digest.h"

namespace audiencesync {

Duration jitter_offset(std::string_view uid, Time due, Duration range) {
  if (range.count() <= 1) return Duration(0);
  Sha256 hash;
  hash.add(uid);
  hash.add(std::string_view("\x1f", 1));
  hash.add(to_iso8601(due));
  const auto bytes = hash.finish_bytes();
  std::uint64_t draw = 0;
  for (std::size_t i = 0; i < sizeof draw; ++i) draw = draw << 8 | bytes[i];
  const auto second = Duration(std::chrono::seconds(1));
  const auto unit = range > second ? second : Duration(1);
  // Of a range of 1500 ms both 0 s and 1 s are below its end: count every unit that starts inside.
  const auto units = static_cast<std::uint64_t>((range + unit - Duration(1)) / unit);
  // The upper half of the product is the draw scaled down: no remainder, so no offset is favoured.
  const auto scaled = static_cast<std::uint64_t>((static_cast<unsigned __int128>(draw) * units) >> 64);
  return unit * static_cast<std::int64_t>(scaled);
}

}  // namespace audiencesync
