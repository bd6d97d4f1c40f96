#include "engine/manifest/manifest.h"

#include <algorithm>

#include "engine/manifest/field_reader.h"
#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/overlay.h"
#include "engine/manifest/static_rules.h"

namespace audiencesync {
namespace {

std::vector<ScheduleWindow> read_windows(const FieldReader& map, std::string_view list, const std::string& timezone) {
  std::vector<ScheduleWindow> windows;
  for (const auto* item : map.items(list)) {
    ScheduleWindow window;
    window.timezone = timezone;
    const FieldReader entry(item);
    entry.read("cron", window.cron);
    entry.read("duration", window.duration);
    entry.read("timezone", window.timezone);
    windows.push_back(std::move(window));
  }
  return windows;
}

std::optional<CronSchedule> read_schedule(const FieldReader& root) {
  const auto* node = root.node("schedule");
  if (node == nullptr) return std::nullopt;
  CronSchedule schedule;
  if (node->kind == YamlNode::Kind::Scalar) {
    schedule.cron = node->text;
    return schedule;
  }
  const FieldReader map(node);
  map.read("cron", schedule.cron);
  map.read("timezone", schedule.timezone);
  map.read("jitter", schedule.jitter);
  const auto window = map.map("window");
  schedule.allow = read_windows(window, "allow", schedule.timezone);
  schedule.deny = read_windows(window, "deny", schedule.timezone);
  return schedule;
}

AudienceEntry read_audience(const YamlNode& node) {
  AudienceEntry entry;
  const FieldReader map(&node);
  map.read("id", entry.id);
  map.read("name", entry.name);
  map.read("namespace", entry.membership_namespace);
  entry.place = node.place;
  return entry;
}

std::vector<Status> read_statuses(const FieldReader& source, Problems& problems) {
  std::vector<Status> statuses;
  for (const auto* item : source.items("statuses")) {
    if (item->text == "entered") {
      problems.warn(item->place,
                    "source.statuses 'entered' is not a status of the platform and is read as realized; "
                    "write realized");
    }
    if (item->text == "realized" || item->text == "entered") statuses.push_back(Status::Realized);
    if (item->text == "existing") statuses.push_back(Status::Existing);
  }
  if (statuses.empty()) return Source{}.statuses;
  std::sort(statuses.begin(), statuses.end());
  statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
  return statuses;
}

Source read_source(const FieldReader& map, Problems& problems) {
  Source source;
  map.read_word("from", {SourceFrom::ExportJob, SourceFrom::ProfileSnapshot, SourceFrom::Files}, source.from);
  map.read("path", source.path);
  map.read("merge_policy", source.merge_policy);
  source.statuses = read_statuses(map, problems);
  map.read("max_age", source.max_age);
  map.read("wait_for_evaluation", source.wait_for_evaluation);
  return source;
}

Target read_target(const FieldReader& map, const std::string& name) {
  Target target;
  target.dataset = "audiencesync membership: " + name;
  map.read_word("layout", {Layout::Person, Layout::Membership, Layout::Delimited}, target.layout);
  map.read("dataset", target.dataset);
  map.read("dataset_id", target.dataset_id);
  map.read_word("row_rule", {RowRule::Unknown, RowRule::Replace, RowRule::Accumulate}, target.row_rule);
  map.read("compact_every", target.compact_every);
  map.read("name_lookup", target.name_lookup);
  map.read_word("upload", {UploadFiles::Json, UploadFiles::Parquet}, target.upload);
  map.read("accept_one_row_per_person", target.accept_one_row_per_person);
  return target;
}

Guard read_guard(const FieldReader& map) {
  Guard guard;
  map.read("max_removals", guard.max_removals);
  map.read("max_audience_shrink", guard.max_audience_shrink);
  map.read("max_audience_growth", guard.max_audience_growth);
  map.read_count("min_people", guard.min_people);
  map.read("allow_empty_audience", guard.allow_empty_audience);
  map.read("max_bad_rows", guard.max_bad_rows);
  return guard;
}

std::optional<Analytics> read_analytics(const FieldReader& root) {
  if (root.node("analytics") == nullptr) return std::nullopt;
  const auto map = root.map("analytics");
  Analytics analytics;
  map.read("connection", analytics.connection);
  map.read("data_view", analytics.data_view);
  Limit tolerance{.share = analytics.tolerance, .count = {}};
  map.read("tolerance", tolerance);
  analytics.tolerance = tolerance.share.value_or(0);
  map.read("lookback", analytics.lookback);
  return analytics;
}

Retention read_retention(const FieldReader& map) {
  Retention retention;
  map.read("history", retention.history);
  map.read_count("generations", retention.generations);
  map.read_bytes("size", retention.size);
  return retention;
}

Manifest read_manifest(const FieldReader& root, const Path& path, Problems& problems) {
  Manifest manifest;
  manifest.file = path.string();
  root.read("name", manifest.name);
  manifest.uid = manifest.name;
  root.read("uid", manifest.uid);
  root.read("organization", manifest.organization);
  root.read("sandbox", manifest.sandbox);
  root.read("tenant", manifest.tenant);
  const auto identity = root.map("identity");
  identity.read("field", manifest.identity.field);
  identity.read("namespace", manifest.identity.namespace_code);
  identity.read_word("normalize", {Normalize::None, Normalize::Trim, Normalize::Lower, Normalize::Sha256Lower},
                     manifest.identity.normalize);
  manifest.schedule = read_schedule(root);
  for (const auto* item : root.items("audiences")) manifest.audiences.push_back(read_audience(*item));
  manifest.source = read_source(root.map("source"), problems);
  manifest.target = read_target(root.map("target"), manifest.name);
  manifest.guard = read_guard(root.map("guard"));
  root.read_word("engine", {Engine::Local, Engine::QueryService}, manifest.engine);
  root.read_word("mode", {ApprovalMode::Auto, ApprovalMode::PlanOnly}, manifest.mode);
  manifest.analytics = read_analytics(root);
  manifest.retention = read_retention(root.map("retention"));
  return manifest;
}

}  // namespace

const char* to_string(Normalize normalize) {
  switch (normalize) {
    case Normalize::None:
      return "none";
    case Normalize::Trim:
      return "trim";
    case Normalize::Lower:
      return "lower";
    case Normalize::Sha256Lower:
      return "sha256_lower";
  }
  return "none";
}

const char* to_string(Status status) {
  switch (status) {
    case Status::Realized:
      return "realized";
    case Status::Existing:
      return "existing";
  }
  return "realized";
}

const char* to_string(SourceFrom from) {
  switch (from) {
    case SourceFrom::ExportJob:
      return "export-job";
    case SourceFrom::ProfileSnapshot:
      return "profile-snapshot";
    case SourceFrom::Files:
      return "files";
  }
  return "export-job";
}

const char* to_string(Layout layout) {
  switch (layout) {
    case Layout::Person:
      return "person";
    case Layout::Membership:
      return "membership";
    case Layout::Delimited:
      return "delimited";
  }
  return "person";
}

const char* to_string(Engine engine) {
  switch (engine) {
    case Engine::Local:
      return "local";
    case Engine::QueryService:
      return "query-service";
  }
  return "local";
}

const char* to_string(UploadFiles files) {
  switch (files) {
    case UploadFiles::Json:
      return "json";
    case UploadFiles::Parquet:
      return "parquet";
  }
  return "json";
}

const char* to_string(ApprovalMode mode) {
  switch (mode) {
    case ApprovalMode::Auto:
      return "auto";
    case ApprovalMode::PlanOnly:
      return "plan-only";
  }
  return "auto";
}

const char* to_string(RowRule rule) {
  switch (rule) {
    case RowRule::Unknown:
      return "unknown";
    case RowRule::Replace:
      return "replace";
    case RowRule::Accumulate:
      return "accumulate";
  }
  return "unknown";
}

Loaded<Manifest> load_manifest(const Files& files, const Path& path, const ManifestRules& rules) {
  Problems problems;
  const auto tree = load_with_bases(files, path, rules, problems);
  Manifest manifest;
  if (tree) {
    check_fields(*tree, manifest_fields(), "", problems);
    const FieldReader root(&*tree);
    manifest = read_manifest(root, path, problems);
    check_static_rules(manifest, root, rules, problems);
  }
  return conclude(std::move(manifest), std::move(problems));
}

Value manifest_json_schema() {
  return json_schema("audiencesync manifest", "Which audiences analysts should see, and how they get there.",
                     manifest_fields());
}

}  // namespace audiencesync
