#include "plugins/platform/batch.h"

#include <algorithm>

#include "plugins/platform/call.h"
#include "plugins/platform/redact.h"

namespace audiencesync::platform {
namespace {

bool is_one_of(const std::string& status, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), status) != words.end();
}

std::optional<std::uint64_t> first_count(const Value& value, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto number = value.number(name); number && *number >= 0) return static_cast<std::uint64_t>(*number);
  return {};
}

/// Metrics come beside the batch and, with other names, from older pipelines; the most specific one wins.
std::optional<std::uint64_t> written_records(const Value& value) {
  if (const auto* metrics = value.find("metrics"))
    if (auto count = first_count(*metrics, {"outputRecordCount", "recordsWritten", "outputRecordSize", "recordCount"}))
      return count;
  return first_count(value, {"outputRecordCount", "recordCount", "recordsWritten"});
}

std::optional<std::uint64_t> refused_records(const Value& value) {
  std::optional<std::uint64_t> most;
  const auto take = [&](std::optional<std::uint64_t> count) {
    if (count && (!most || *count > *most)) most = count;
  };
  if (const auto* metrics = value.find("metrics")) take(first_count(*metrics, {"failedRecordCount", "recordsFailed"}));
  take(first_count(value, {"failedRecordCount", "recordsFailed"}));
  return most;
}

BatchError batch_error_from(const Value& value) {
  BatchError error;
  error.code = id_text(value.find("code"));
  error.description = value.text("description");
  if (error.description.empty()) error.description = value.text("message");
  if (error.description.empty()) error.description = value.text("msg");
  if (const auto* text = value.string_if()) error.description = *text;
  error.description = redacted(error.description);
  error.rows = texts_of(value.find("rows"));
  return error;
}

}  // namespace

const std::vector<std::string>& Batch::tag(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = tags.find(name);
  return found == tags.end() ? kNone : found->second;
}

bool is_live(const Batch& batch) { return is_one_of(batch.status, {"success", "active"}); }
bool is_loading(const Batch& batch) { return batch.status == "loading"; }
bool is_failed(const Batch& batch) { return is_one_of(batch.status, {"failed", "failure", "aborted", "abandoned"}); }
bool is_gone(const Batch& batch) { return is_one_of(batch.status, {"inactive", "deleted", "archived"}); }
bool is_terminal(const Batch& batch) { return is_live(batch) || is_failed(batch) || is_gone(batch); }

Batch batch_from(const std::string& id, const Value& value) {
  Batch batch;
  batch.id = id.empty() ? id_text(value.find("id")) : id;
  batch.status = ascii_lower(value.text("status"));
  batch.external_id = value.text("externalId");
  batch.client = value.text("createdClient");
  batch.created = time_of(value.find("created"));
  batch.completed = time_of(value.find("completed"));
  batch.records = written_records(value);
  batch.failed_records = refused_records(value);
  for (const auto& error : value.items("errors")) batch.errors.push_back(batch_error_from(error));
  if (const auto* tags = value.find("tags"); tags != nullptr && tags->is_object())
    for (const auto& [name, values] : *tags->object_if()) batch.tags[name] = texts_of(&values);
  if (const auto& successors = batch.tag("acp_successor"); !successors.empty()) batch.successor = successors.front();
  batch.predecessors = texts_of(value.find_path({"replay", "predecessors"}));
  for (auto& predecessor : batch.predecessors) {
    // Written as `${id}` or `$id` by some producers.
    std::erase_if(predecessor, [](char c) { return c == '$' || c == '{' || c == '}'; });
  }
  batch.dataset = value.text("datasetId");
  if (batch.dataset.empty()) batch.dataset = value.text("dataSetId");
  for (const auto& related : value.items("relatedObjects"))
    if (ascii_lower(related.text("type")) == "dataset") batch.dataset = id_text(related.find("id"));
  return batch;
}

std::string reasons_of(const Batch& batch) {
  std::string text;
  for (const auto& error : batch.errors) {
    if (!text.empty()) text += "; ";
    text += error.code;
    if (!error.code.empty() && !error.description.empty()) text += ": ";
    text += error.description;
  }
  return text.empty() ? "no reason given" : text;
}

}  // namespace audiencesync::platform
