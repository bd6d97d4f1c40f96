#include "emulator/analytics/connection_model.h"

#include <algorithm>

#include "emulator/analytics/answers.h"

namespace emulator {
namespace {

constexpr std::string_view kPrefix = "dg_";

bool imported_at(const Json& facts, std::int64_t time) {
  const Json periods = facts.value("streaming_periods", Json::array());
  return std::any_of(periods.begin(), periods.end(), [&](const Json& period) {
    return period["from"] <= time && (period["to"].is_null() || time < period["to"]);
  });
}

}  // namespace

std::string connection_key(const std::string& id) { return id.starts_with(kPrefix) ? id : std::string(kPrefix) + id; }

const Json* find_connection(const Platform& platform, const std::string& id) {
  return platform.objects.find(kConnectionKind, connection_key(id));
}

const Json* find_data_set(const Json& connection, const std::string& dataset) {
  for (const Json& one : connection["dataSets"])
    if (one["dataSetId"] == dataset) return &one;
  return nullptr;
}

void store_connection(Platform& platform, Json connection) {
  connection["modifiedDate"] = analytics_time(platform.clock.now_ms());
  const std::string id = connection["id"];
  platform.objects.put(kConnectionKind, id, std::move(connection));
}

std::string backfill_status(const Json& backfill, std::int64_t now) {
  const std::int64_t created = backfill["created"];
  const std::int64_t due = backfill["due"];
  if (now >= due) return "COMPLETED";
  return now - created < (due - created) / 3 ? "IN_QUEUE" : "IN_PROGRESS";
}

std::optional<std::int64_t> arrival(const Settings& settings, const Json& data_set, const Json& batch, Delays delays) {
  const Json& facts = batch["_emulator"];
  const Json& entry = data_set["_emulator"];
  if (!facts.contains("finished")) return std::nullopt;
  const std::int64_t finished = facts["finished"];
  // What the world was made with has always been there, and a compaction brings no rows that were not.
  const bool old = facts.value("by", "") == "world" || facts.value("by", "") == "compaction";
  const std::int64_t delay = old || delays == Delays::Ignore ? 0 : settings.analytics_delay.count();

  std::optional<std::int64_t> here;
  const auto earlier = [&](std::int64_t time) { here = std::min(here.value_or(time), time); };
  if (imported_at(entry, finished)) earlier(finished + delay);
  for (const Json& backfill : entry.value("backfills", Json::array()))
    if (finished <= backfill["created"])
      earlier(std::max(finished + delay, delays == Delays::Ignore ? finished : backfill["due"].get<std::int64_t>()));
  if (here && delays == Delays::Wait && entry.contains("read_again"))
    here = std::max(*here, entry["read_again"].get<std::int64_t>() + settings.analytics_delay.count());
  return here;
}

std::vector<HeldBatch> held_batches(const Platform& platform, Lake& lake, const Json& data_set, Delays delays) {
  const std::int64_t now = platform.clock.now_ms();
  std::vector<HeldBatch> held;
  for (const std::string& id : lake.batches_of(data_set["dataSetId"])) {
    const Json* batch = platform.objects.find("batch", id);
    if (batch == nullptr) continue;
    const Json& facts = (*batch)["_emulator"];
    const auto here = arrival(platform.settings, data_set, *batch, delays);
    if (!here || (delays == Delays::Wait && *here > now)) continue;
    HeldBatch one{id, facts["finished"], {}, false};
    if (!Lake::is_live(batch->value("status", ""))) {
      // A successor made by compaction holds the same rows; nothing was withdrawn.
      if (!facts.contains("withdrawn") || batch->value("tags", Json::object()).contains("acp_successor")) continue;
      const std::int64_t withdrawn = facts["withdrawn"];
      if (withdrawn < *here) continue;  // gone before it came
      one.withdrawn = delays == Delays::Ignore || withdrawn + platform.settings.analytics_delete_delay.count() <= now;
    }
    std::filesystem::path folder = lake.withdrawn_folder(id);
    if (!std::filesystem::is_directory(folder)) folder = lake.parts_folder(id);
    for (const Json& file : facts.value("files", Json::array())) {
      const std::filesystem::path part = folder / file["name"].get<std::string>();
      if (std::filesystem::exists(part)) one.parts.push_back(part);
    }
    if (!one.parts.empty()) held.push_back(std::move(one));
  }
  std::stable_sort(held.begin(), held.end(),
                   [](const HeldBatch& a, const HeldBatch& b) { return a.finished < b.finished; });
  return held;
}

}  // namespace emulator
