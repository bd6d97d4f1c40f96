#include "plugins/export/export_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/json.h"
#include "plugins/platform/call.h"

namespace audiencesync {
namespace {

std::set<std::string> field_set(const std::string& fields) {
  std::set<std::string> set;
  std::string field;
  for (const char c : fields + ",") {
    if (c == ',') {
      if (!field.empty()) set.insert(field);
      field.clear();
    } else if (c != ' ') {
      field.push_back(c);
    }
  }
  return set;
}

Value sorted_statuses(const Value& segment) {
  const auto texts = platform::texts_of(segment.find("status"));
  std::set<std::string> statuses(texts.begin(), texts.end());
  if (statuses.empty()) statuses = {"existing", "realized"};  // what the platform takes when none is given
  return Value::Array(statuses.begin(), statuses.end());
}

/// Audience id -> namespace and statuses; one filter cannot hold an audience twice in a useful way.
std::map<std::string, Value> segments_by_id(const Value& canonical) {
  std::map<std::string, Value> segments;
  for (const auto& segment : canonical.items("segments")) segments[segment.text("segmentId")] = segment;
  return segments;
}

/// The members of a canonical filter beside its segments.
Value without_segments(const Value& canonical) {
  Value rest = canonical;
  if (auto* object = rest.object_if()) object->erase("segments");
  return rest;
}

Result<Value> field_value(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end() || !std::holds_alternative<Value>(found->second))
    return Error(ErrorCode::Internal, fmt::format("an export change without its field '{}'", name));
  return std::get<Value>(found->second);
}

Result<std::string> field_text(const Fields& fields, std::string_view name) {
  const auto value = TRY(field_value(fields, name));
  if (const auto* text = value.string_if(); text != nullptr && !text->empty()) return *text;
  return Error(ErrorCode::Internal, fmt::format("an export change whose field '{}' is no text", name));
}

}  // namespace

std::string export_fields(const std::string& identity_field) {
  std::string fields = identity_field;
  for (const auto* standard : {"segmentMembership", "identityMap"})
    if (identity_field != standard) fields += std::string(",") + standard;
  return fields;
}

Result<Value> export_filter(const Value& audiences, const std::vector<std::string>& statuses) {
  Value::Array segments;
  if (const auto* list = audiences.array_if()) {
    for (const auto& audience : *list) {
      if (audience.flag("held")) continue;
      Value segment;
      segment["segmentId"] = audience.text("id");
      segment["segmentNs"] = audience.text("namespace");
      segment["status"] = Value::Array(statuses.begin(), statuses.end());
      segments.push_back(std::move(segment));
    }
  }
  if (segments.empty())
    return Error(ErrorCode::Refused,
                 "none of the declared audiences can be read, and an export without audiences would be everybody; see "
                 "the findings about held audiences");
  Value filter;
  filter["segments"] = std::move(segments);
  filter["emptyProfiles"] = false;
  return filter;
}

Result<ExportRequest> export_request(const Fields& fields) {
  ExportRequest request;
  request.dataset = TRY(field_text(fields, "dataset"));
  request.fields = TRY(field_text(fields, "fields"));
  request.merge_policy = TRY(field_text(fields, "merge_policy"));
  const auto audiences = TRY(field_value(fields, "audiences"));
  const auto statuses = TRY(field_value(fields, "statuses"));
  request.filter = TRY(export_filter(audiences, platform::texts_of(&statuses)));
  return request;
}

Value export_body(const ExportRequest& request) {
  Value body;
  body["fields"] = request.fields;
  body["mergePolicy"]["id"] = request.merge_policy;
  body["filter"] = request.filter;
  body["destination"]["datasetId"] = request.dataset;
  body["destination"]["segmentPerBatch"] = false;
  body["schema"]["name"] = "_xdm.context.profile";
  return body;
}

Value canonical_filter(const Value& filter) {
  Value canonical{Value::Object{}};
  Value::Array segments;
  for (const auto& segment : filter.items("segments")) {
    Value one;
    one["segmentId"] = platform::id_text(segment.find("segmentId"));
    const auto key = platform::ascii_lower(segment.text("segmentNs"));
    one["segmentNs"] = key.empty() ? std::string("ups") : key;
    one["status"] = sorted_statuses(segment);
    segments.push_back(std::move(one));
  }
  std::sort(segments.begin(), segments.end(),
            [](const Value& left, const Value& right) { return to_json(left) < to_json(right); });
  canonical["segments"] = std::move(segments);
  if (const auto* object = filter.object_if())
    for (const auto& [name, value] : *object)
      if (name != "segments" && !value.is_null()) canonical[name] = value;
  if (canonical.find("emptyProfiles") == nullptr) canonical["emptyProfiles"] = false;
  return canonical;
}

std::string canonical_fields(const std::string& fields) { return fmt::format("{}", fmt::join(field_set(fields), ",")); }

bool is_same_export(const platform::ExportJob& job, const ExportRequest& request) {
  return job.dataset == request.dataset && job.merge_policy == request.merge_policy &&
         canonical_fields(job.fields) == canonical_fields(request.fields) &&
         canonical_filter(job.filter) == canonical_filter(request.filter);
}

bool covers(const platform::ExportJob& job, const ExportRequest& request) {
  if (job.dataset != request.dataset || job.merge_policy != request.merge_policy) return false;
  const auto has = field_set(job.fields);
  const auto wants = field_set(request.fields);
  if (!std::includes(has.begin(), has.end(), wants.begin(), wants.end())) return false;
  const auto exported = canonical_filter(job.filter);
  const auto wanted = canonical_filter(request.filter);
  if (without_segments(exported) != without_segments(wanted)) return false;
  const auto there = segments_by_id(exported);
  const auto needed = segments_by_id(wanted);
  return std::all_of(needed.begin(), needed.end(), [&](const auto& segment) {
    const auto found = there.find(segment.first);
    return found != there.end() && found->second == segment.second;
  });
}

}  // namespace audiencesync
