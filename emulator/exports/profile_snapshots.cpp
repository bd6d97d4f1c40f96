#include "emulator/exports/profile_snapshots.h"

#include <chrono>
#include <vector>

#include "emulator/data/profile_fields.h"
#include "emulator/exports/parquet_writer.h"

namespace emulator {
namespace {

constexpr const char* kSnapshotUnion = "https://ns.adobe.com/xdm/context/profile__union";
constexpr const char* kKind = "profile_snapshot";  // by dataset: {"policy","next"}
constexpr std::int64_t kDay = std::chrono::milliseconds{std::chrono::hours{24}}.count();
constexpr std::size_t kKeptBatches = 2;

}  // namespace

ProfileSnapshots::ProfileSnapshots(Platform& platform, World& world, Lake& lake, Worker& worker)
    : platform_(platform), world_(world), lake_(lake), worker_(worker) {}

void ProfileSnapshots::resume() {
  std::vector<std::string> datasets;
  {
    const auto lock = platform_.objects.lock();
    std::vector<std::string> policies;
    for (const auto& [policy, object] : platform_.objects.all("merge_policy")) policies.push_back(policy);
    for (const auto& policy : policies) datasets.push_back(ensure_dataset(policy));
  }
  for (const auto& dataset : datasets) wait_for_next(dataset);
}

std::string ProfileSnapshots::ensure_dataset(const std::string& policy) {
  for (const auto& [dataset, facts] : platform_.objects.all(kKind))
    if (facts.value("policy", "") == policy) return dataset;
  const std::string id = platform_.new_id("dataset");
  const std::string name = "Profile-Snapshot-Export-" + platform_.new_uuid("profile_snapshot");
  const std::int64_t now = platform_.clock.now_ms();
  std::string table = "profile_snapshot_export_" + id;
  Json dataset = {{"name", name},
                  {"description", "All profiles of a merge policy"},
                  {"imsOrg", platform_.identity.organization},
                  {"sandboxId", platform_.identity.sandbox},
                  {"created", now},
                  {"updated", now},
                  {"createdClient", "acp_core_unifiedProfile"},
                  {"createdUser", "acp_core_unifiedProfile@AdobeID"},
                  {"updatedUser", "acp_core_unifiedProfile@AdobeID"},
                  {"version", "1.0.0"},
                  {"state", "DRAFT"},
                  {"aspect", "production"},
                  {"viewId", platform_.new_id("view")},
                  {"basePath", "/platform/emulator/" + id},
                  {"schemaRef", {{"id", kSnapshotUnion}, {"contentType", "application/vnd.adobe.xed+json;version=1"}}},
                  {"fileDescription", {{"persisted", true}, {"containerFormat", "parquet"}, {"format", "parquet"}}},
                  {"classification", {{"dataBehavior", "record"}, {"managedBy", "SYSTEM"}}},
                  {"tags", {{"unifiedProfile", {"mergePolicyId:" + policy}}}},
                  {"_emulator", {{"number", platform_.objects.next("dataset_order")}, {"table", std::move(table)}}}};
  platform_.objects.put("dataset", id, std::move(dataset));
  platform_.objects.put(kKind, id, {{"policy", policy}, {"next", now + kDay}});
  return id;
}

void ProfileSnapshots::wait_for_next(const std::string& dataset) {
  const auto lock = platform_.objects.lock();
  const Json* facts = platform_.objects.find(kKind, dataset);
  if (facts == nullptr) return;
  worker_.at(facts->value("next", std::int64_t{0}), [this, dataset] { write(dataset); });
}

void ProfileSnapshots::write(const std::string& dataset) {
  std::string batch;
  std::string guid;
  std::uint64_t rows_per_part = 0;
  {
    const auto lock = platform_.objects.lock();
    batch = lake_.create_batch(dataset,
                               {{"status", "staging"},
                                {"started", platform_.clock.now_ms()},
                                {"inputFormat", {{"format", "parquet"}}},
                                {"tags", {{"acp_producer", {"profile-snapshot-export"}}}}},
                               {{"by", "profile_snapshot"}});
    guid = platform_.new_uuid("part");
    rows_per_part = platform_.settings.rows_per_part;
  }
  try {
    const Projection all = project(platform_.identity, world_.vocabulary(), "");
    const ExportedRows rows = write_parquet(world_, all.select, "true", lake_.parts_folder(batch), guid, rows_per_part);
    lake_.succeed(batch, rows.parts, {{"inputRecordCount", rows.rows}, {"outputRecordCount", rows.rows}});
  } catch (const DatabaseError& error) {
    lake_.fail(batch, "0090000009", std::string("Error writing profiles to output path: ") + error.what());
  }
  drop_older(dataset);
  {
    const auto lock = platform_.objects.lock();
    Json facts = *platform_.objects.find(kKind, dataset);
    // Days that passed unseen are not made up for.
    std::int64_t next = facts.value("next", std::int64_t{0}) + kDay;
    if (next <= platform_.clock.now_ms()) next = platform_.clock.now_ms() + kDay;
    facts["next"] = next;
    platform_.objects.put(kKind, dataset, std::move(facts));
  }
  wait_for_next(dataset);
}

void ProfileSnapshots::drop_older(const std::string& dataset) {
  std::vector<std::string> live;
  for (const auto& batch : lake_.batches_of(dataset))
    if (Lake::is_live(lake_.batch_status(batch))) live.push_back(batch);
  for (std::size_t i = 0; i + kKeptBatches < live.size(); ++i) {
    lake_.change_batch(live[i], [](Json& object) { object["status"] = "deleted"; });
    lake_.drop_files(live[i]);
  }
}

}  // namespace emulator
