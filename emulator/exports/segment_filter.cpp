#include "emulator/exports/segment_filter.h"

#include <map>
#include <utility>

namespace emulator {
namespace {

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string timestamp(const Json& value) {
  return value.is_number() ? "epoch_ms(" + value.dump() + ")"
                           : "CAST(" + sql_text(value.get<std::string>()) + " AS TIMESTAMPTZ)::TIMESTAMP";
}

}  // namespace

std::vector<SegmentFilter> segment_filters(const Json& job) {
  std::vector<SegmentFilter> filters;
  const Json* filter = member(job, "filter");
  const Json* segments = filter == nullptr ? nullptr : member(*filter, "segments");
  if (segments == nullptr) return filters;
  for (const Json& segment : *segments) {
    SegmentFilter& one = filters.emplace_back();
    one.audience = segment.value("segmentId", "");
    one.space = segment.value("segmentNs", "ups");
    const Json* status = member(segment, "status");
    if (status != nullptr && status->is_array() && !status->empty())
      one.statuses = status->get<std::vector<std::string>>();
  }
  return filters;
}

std::string export_condition(const Vocabulary& vocabulary, const Json& job,
                             const std::vector<SegmentFilter>& segments) {
  const Json* filter = member(job, "filter");
  std::string also;
  std::string condition = "true";
  if (filter != nullptr) {
    if (const Json* since = member(*filter, "fromIngestTimestamp")) condition += " AND updated > " + timestamp(*since);
    if (const Json* qualified = member(*filter, "segmentQualificationTime")) {
      if (const Json* start = member(*qualified, "startTime")) also += " AND x.t >= " + timestamp(*start);
      if (const Json* end = member(*qualified, "endTime")) also += " AND x.t <= " + timestamp(*end);
    }
  }
  if (segments.empty()) return condition;

  std::map<std::pair<std::string, std::vector<std::string>>, std::vector<std::string>> alike;
  for (const SegmentFilter& segment : segments) alike[{segment.space, segment.statuses}].push_back(segment.audience);
  std::string any;
  for (const auto& [key, audiences] : alike) {
    any += any.empty() ? "" : " OR ";
    any += World::member_of(vocabulary, key.first, audiences, key.second, also);
  }
  return condition + " AND (" + any + ")";
}

}  // namespace emulator
