#include "daemon/call_ledger.h"

#include <algorithm>
#include <deque>

#include "daemon/locked_file.h"
#include "engine/base/digest.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

using Instant = http::RateLedger::Instant;

// The clock begins anew with each start of the machine, so what another one wrote says nothing.
std::string this_boot() {
  const auto id = PosixFiles().read("/proc/sys/kernel/random/boot_id");
  return id.ok() ? *id : std::string();
}

std::deque<Instant> grants_of(const std::string& text, const std::string& boot, Instant latest) {
  std::deque<Instant> grants;
  const auto value = parse_json(text);
  if (!value.ok() || value->text("boot") != boot) return grants;
  for (const auto& each : value->items("granted")) {
    if (const auto* count = each.integer_if()) {
      grants.push_back(std::min(Instant(std::chrono::nanoseconds(*count)), latest));
    }
  }
  std::sort(grants.begin(), grants.end());
  return grants;
}

}  // namespace

std::optional<Instant> CallLedger::grant(const std::string& name, const std::vector<http::RateWindow>& windows,
                                         Instant wish) {
  std::size_t keep = 1;
  Duration longest{0};
  for (const auto& window : windows) {
    keep = std::max(keep, static_cast<std::size_t>(window.requests));
    longest = std::max(longest, window.per);
  }
  const auto file = LockedFile::open(folder_ / digest_of(Value(name)).substr(0, 16));
  if (!file) return std::nullopt;
  static const auto boot = this_boot();
  // Nobody can have been granted a time so far ahead: a damaged file must not stop us for ever.
  constexpr int kMostWaiting = 100;
  auto granted = grants_of(file->read(), boot, wish + longest * kMostWaiting);
  const auto at = http::earliest_grant(windows, granted, granted.empty() ? wish : std::max(wish, granted.back()));
  granted.push_back(at);
  while (granted.size() > keep) granted.pop_front();
  Value::Array list;
  for (const auto& each : granted) {
    list.push_back(static_cast<std::int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(each.time_since_epoch()).count()));
  }
  file->write(to_json(Value::Object{{"boot", boot}, {"granted", std::move(list)}}));
  return at;
}

}  // namespace audiencesync
