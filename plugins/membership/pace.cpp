#include "plugins/membership/pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr Duration kHour = std::chrono::hours(1);
// A run that would have to wait longer ends instead: nothing is gained by holding its lock.
constexpr Duration kSoon = std::chrono::minutes(10);

struct Sent {
  std::string key;
  std::uint64_t bytes = 0;
  Time at{};
};

std::vector<Sent> sent_within_the_hour(const Files& files, const Path& file, Time now) {
  std::vector<Sent> sent;
  const auto text = files.read(file);
  if (!text.ok()) return sent;
  const auto value = parse_json(*text);
  if (!value.ok()) return sent;
  for (const auto& each : value->items("sent")) {
    const auto at = parse_time(each.text("at"));
    if (!at || *at + kHour <= now || *at > now + kHour) continue;
    sent.push_back({each.text("key"), static_cast<std::uint64_t>(each.number("bytes").value_or(0)), *at});
  }
  std::sort(sent.begin(), sent.end(), [](const Sent& left, const Sent& right) { return left.at < right.at; });
  return sent;
}

std::uint64_t total(const std::vector<Sent>& sent) {
  std::uint64_t bytes = 0;
  for (const auto& each : sent) bytes += each.bytes;
  return bytes;
}

std::string organization_id(const Settings& settings, const Manifest& manifest) {
  const auto found = settings.organizations.find(manifest.organization);
  return found == settings.organizations.end() ? manifest.organization : found->second.organization_id;
}

std::string megabytes(std::uint64_t bytes) {
  if (bytes < 1'000'000) return fmt::format("{} kB", (bytes + 999) / 1000);
  return bytes < 1'000'000'000 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)
                               : fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

}  // namespace

IngestPace::IngestPace(Files& files, const Settings& settings, const Manifest& manifest)
    : files_(files),
      limit_(settings.limits.ingest_per_hour),
      file_(settings.state / "ingested" /
            fmt::format("{}-{}.json", organization_id(settings, manifest), manifest.sandbox)) {}

std::uint64_t IngestPace::taken(Time now) const { return total(sent_within_the_hour(files_, file_, now)); }

Result<std::optional<Time>> IngestPace::take(const std::string& key, std::uint64_t bytes, Time now) {
  auto sent = sent_within_the_hour(files_, file_, now);
  if (std::any_of(sent.begin(), sent.end(), [&](const Sent& each) { return each.key == key; }))
    return std::optional<Time>();
  auto used = total(sent);
  for (const auto& oldest : sent) {
    if (used + bytes <= limit_) break;
    used -= oldest.bytes;
    if (used + bytes <= limit_ || used == 0) return std::optional(oldest.at + kHour);
  }
  sent.push_back({key, bytes, now});
  Value::Array list;
  for (const auto& each : sent) {
    list.emplace_back(Value::Object{{"key", each.key}, {"bytes", each.bytes}, {"at", to_iso8601(each.at)}});
  }
  TRY(files_.make_folder(file_.parent_path()));
  TRY(files_.write_atomic(file_, to_json(Value::Object{{"version", 1}, {"sent", std::move(list)}})));
  return std::optional<Time>();
}

Result<void> await_room(WriteContext& context, const std::string& key, std::uint64_t bytes) {
  IngestPace pace(context.files(), context.settings(), context.manifest());
  const auto now = context.server().now();
  const auto room_at = TRY(pace.take(key, bytes, now));
  if (!room_at) return {};
  if (*room_at > now + kSoon) {
    return Error(ErrorCode::NotFinished,
                 fmt::format("{} went into sandbox {} within the last hour, and {} more would pass "
                             "limits.ingest_per_hour ({}); run again after {}, what was sent until now stays",
                             megabytes(pace.taken(now)), context.manifest().sandbox, megabytes(bytes),
                             megabytes(context.settings().limits.ingest_per_hour), to_iso8601(*room_at)));
  }
  context.events().emit("ingest.paced", {{"bytes", bytes}, {"goes_on", to_iso8601(*room_at)}});
  TRY(context.wait("room in limits.ingest_per_hour", context.settings().timing.poll_batch, kSoon + kHour,
                   [&]() -> Result<std::optional<Value>> {
                     const auto later = TRY(pace.take(key, bytes, context.server().now()));
                     return later ? std::optional<Value>() : std::optional(Value(true));
                   }));
  return {};
}

}  // namespace audiencesync
