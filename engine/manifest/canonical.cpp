#include <algorithm>
#include <tuple>

#include "engine/manifest/manifest.h"

namespace audiencesync {
namespace {

Value value_or_null(const std::optional<std::string>& text) { return text ? Value(*text) : Value(); }

Value canonical_audience(const AudienceEntry& entry) {
  Value value;
  value["id"] = value_or_null(entry.id);
  value["name"] = value_or_null(entry.name);
  value["namespace"] = entry.membership_namespace;
  return value;
}

Value canonical_audiences(std::vector<AudienceEntry> entries) {
  const auto key = [](const AudienceEntry& entry) {
    return std::tie(entry.membership_namespace, entry.id, entry.name);
  };
  std::sort(entries.begin(), entries.end(),
            [&](const auto& left, const auto& right) { return key(left) < key(right); });
  Value::Array values;
  for (const auto& entry : entries) values.push_back(canonical_audience(entry));
  return values;
}

Value canonical_identity(const Identity& identity) {
  Value value;
  value["field"] = identity.field;
  value["namespace"] = identity.namespace_code;
  value["normalize"] = to_string(identity.normalize);
  return value;
}

Value canonical_source(const Source& source) {
  Value::Array statuses;
  for (const auto status : source.statuses) statuses.emplace_back(to_string(status));
  Value value;
  value["from"] = to_string(source.from);
  if (!source.path.empty()) value["path"] = source.path;
  value["merge_policy"] = source.merge_policy;
  value["statuses"] = std::move(statuses);
  value["max_age_ms"] = std::int64_t{source.max_age.count()};
  return value;
}

Value canonical_target(const Target& target) {
  Value value;
  value["layout"] = to_string(target.layout);
  value["dataset"] = target.dataset;
  value["dataset_id"] = value_or_null(target.dataset_id);
  value["row_rule"] = to_string(target.row_rule);
  // Only when it is not the default, so that manifests of earlier versions keep their digest.
  if (target.compact_every != Target{}.compact_every) {
    value["compact_every_ms"] = std::int64_t{target.compact_every.count()};
  }
  if (target.upload != Target{}.upload) value["upload"] = to_string(target.upload);
  if (target.name_lookup) value["name_lookup"] = true;
  if (target.accept_one_row_per_person) value["accept_one_row_per_person"] = true;
  return value;
}

Value canonical_guard(const Guard& guard) {
  Value value;
  value["max_removals"] = guard.max_removals.text();
  value["max_audience_shrink"] = guard.max_audience_shrink.text();
  value["max_audience_growth"] = guard.max_audience_growth.text();
  value["min_people"] = guard.min_people;
  value["allow_empty_audience"] = guard.allow_empty_audience;
  value["max_bad_rows"] = guard.max_bad_rows.text();
  return value;
}

Value canonical_analytics(const Analytics& analytics) {
  Value value;
  value["connection"] = analytics.connection;
  value["data_view"] = value_or_null(analytics.data_view);
  value["tolerance"] = analytics.tolerance;
  value["lookback_ms"] = std::int64_t{analytics.lookback.count()};
  return value;
}

}  // namespace

Value Manifest::canonical() const {
  Value value;
  value["version"] = 1;
  value["name"] = name;
  value["uid"] = uid;
  value["organization"] = organization;
  value["sandbox"] = sandbox;
  value["tenant"] = tenant;
  value["identity"] = canonical_identity(identity);
  value["audiences"] = canonical_audiences(audiences);
  value["source"] = canonical_source(source);
  value["target"] = canonical_target(target);
  value["guard"] = canonical_guard(guard);
  if (mode != ApprovalMode::Auto) value["mode"] = to_string(mode);
  if (engine != Engine::Local) value["engine"] = to_string(engine);
  // Only when declared, so that a manifest without it keeps the digest that states of earlier versions hold.
  if (analytics) value["analytics"] = canonical_analytics(*analytics);
  return value;
}

}  // namespace audiencesync
