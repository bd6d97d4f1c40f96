#include "plugins/platform/batches.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "plugins/platform/call.h"
#include "plugins/platform/catalog_list.h"

namespace audiencesync::platform {
namespace {

const char* const kBatches = "/data/foundation/catalog/batches";

Result<std::vector<Batch>> list_batches(http::ReadClient& client, http::Query query) {
  auto entries = TRY(list_catalog(client, "batches", kBatches, std::move(query)));
  std::vector<Batch> batches;
  for (const auto& [id, value] : entries) batches.push_back(batch_from(id, value));
  std::sort(batches.begin(), batches.end(), [](const Batch& left, const Batch& right) {
    const auto key = [](const Batch& batch) { return std::pair(batch.created.value_or(Time()), batch.id); };
    return key(left) < key(right);
  });
  return batches;
}

}  // namespace

Result<std::optional<Batch>> get_batch(http::ReadClient& client, const std::string& id) {
  auto answer =
      TRY(read_json_if_there(client, get(std::string(kBatches) + "/" + http::encode_segment(id))).in("batch " + id));
  const auto* value = catalog_entry(answer, id);
  if (value == nullptr) return std::optional<Batch>();
  return std::optional<Batch>(batch_from(id, *value));
}

Result<std::vector<Batch>> batches_of(http::ReadClient& client, const std::string& dataset) {
  return list_batches(client, {{"dataSet", dataset}});
}

Result<std::vector<Batch>> batches_with_external_id(http::ReadClient& client, const std::string& external_id) {
  auto batches = TRY(list_batches(client, {{"externalId", external_id}}));
  // A service that ignores a filter answers with everything; adopting a stranger's batch would be worse than none.
  std::erase_if(batches, [&](const Batch& batch) { return batch.external_id != external_id; });
  return batches;
}

Result<Batch> current_holder(http::ReadClient& client, Batch batch) {
  std::set<std::string> seen{batch.id};
  while (!is_live(batch) && !batch.successor.empty()) {
    const auto next = batch.successor;
    if (!seen.insert(next).second)
      return Error(ErrorCode::Corrupt,
                   fmt::format("the successors of batch {} turn in a circle at {}", batch.id, next));
    auto found = TRY(get_batch(client, next));
    if (!found)
      return Error(ErrorCode::NotFound,
                   fmt::format("batch {} was consolidated into {}, which the catalog does not know", batch.id, next));
    batch = std::move(*found);
  }
  return batch;
}

}  // namespace audiencesync::platform
