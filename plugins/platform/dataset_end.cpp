#include "plugins/platform/dataset_end.h"

#include <charconv>

#include "plugins/platform/call.h"

namespace audiencesync::platform {

std::optional<Time> expiry_of(const Dataset& dataset) {
  const auto tag = dataset.tags.find("adobe/hygiene/ttl");
  if (tag == dataset.tags.end() || tag->second.empty()) return std::nullopt;
  const auto& word = tag->second.front();
  std::int64_t ms = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), ms);
  if (error != std::errc{} || stop != word.data() + word.size()) return std::nullopt;
  return from_epoch_ms(ms);
}

Result<void> delete_dataset(http::WriteClient& client, const std::string& id) {
  http::Request request;
  request.method = http::Method::Delete;
  request.path = "/data/foundation/catalog/dataSets/" + http::encode_segment(id);
  request.repeat = http::Repeat::Repeatable;
  request.expected = {404};
  TRY(client.write(request).in("delete dataset " + id));
  return {};
}

Result<void> expire_dataset(http::WriteClient& client, const Dataset& dataset, Time at, const std::string& why) {
  // Whole seconds: the service takes no others.
  const auto second = from_epoch_ms(to_epoch_ms(at) / 1000 * 1000);
  const Value body = Value::Object{{"datasetId", dataset.id},
                                   {"expiry", to_iso8601(second)},
                                   {"displayName", "audiencesync: " + dataset.name},
                                   {"description", why}};
  TRY(write_json(client, send(http::Method::Post, "/data/core/hygiene/ttl", body, http::Repeat::Once))
          .in("let dataset " + dataset.id + " expire"));
  return {};
}

}  // namespace audiencesync::platform
